"""Defaults of a study's settings that depend on the data."""

from __future__ import annotations

from steps.datasets import Dataset

AUTO_SPACE = "auto"
IMAGE_EPOCHS = 10
_TABLE_UPDATES, _ROWS_PER_UPDATE = 3000, 128
_TABLE_EPOCHS = (10, 60)  # least and most


def default_space(dataset: Dataset) -> str:
    """Name of the packaged space."""
    return "image" if dataset.image_shape else "table"


def default_epochs(dataset: Dataset) -> int:
    """Epochs of a trial: 10 for images; for tables about 3,000 updates, but at least 10 and at most 60 epochs."""
    if dataset.image_shape:
        return IMAGE_EPOCHS
    least, most = _TABLE_EPOCHS
    return min(most, max(least, round(_TABLE_UPDATES * _ROWS_PER_UPDATE / len(dataset.splits["train"]))))
