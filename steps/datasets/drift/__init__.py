"""Distributions of the columns of the training rows, and the comparison of other rows with them."""
