"""Tables and their columns: kinds, target, and the encoding of raw rows as numbers.

This folder is shipped inside each registered model of a table, so that the same code encodes training rows and rows to
predict. It imports nothing but the standard library, NumPy, pandas, PyArrow and itself.
"""
