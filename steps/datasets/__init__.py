"""Data sets by name (`catalogue`), as read-only arrays with verified content."""

from steps.datasets.dataset import DataError, Dataset, Split

__all__ = ["DataError", "Dataset", "Split"]
