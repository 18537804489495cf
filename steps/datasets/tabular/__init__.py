"""A table and its columns: kinds, target, and the encoding of raw rows as numbers.

This folder is shipped inside each registered model of a table, so that the code that encoded the training rows encodes
the rows of a prediction. It imports nothing but the standard library, NumPy, pandas, PyArrow and itself.
"""
