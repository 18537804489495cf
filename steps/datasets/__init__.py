"""Data sets by name, as read-only arrays with verified content."""

from steps.datasets.catalogue import DATASETS, load_dataset
from steps.datasets.dataset import DataError, Dataset, Split

__all__ = ["DATASETS", "DataError", "Dataset", "Split", "load_dataset"]
