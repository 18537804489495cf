"""Defaults of a study's settings that depend on the data."""

from __future__ import annotations

from dataclasses import dataclass

from steps.datasets import Dataset

AUTO_SPACE = "auto"
IMAGE_EPOCHS = 10  # of MNIST


@dataclass(frozen=True)
class _Length:
    """About so many updates with batches of so many rows, but no fewer and no more than so many epochs."""

    updates: int
    batch_size: int
    least: int
    most: int

    def epochs(self, n_rows: int) -> int:
        return min(self.most, max(self.least, round(self.updates * self.batch_size / n_rows)))


_IMAGES = _Length(updates=2000, batch_size=256, least=IMAGE_EPOCHS, most=200)
_TABLES = _Length(updates=6000, batch_size=64, least=10, most=128)


def default_space(dataset: Dataset) -> str:
    """Name of the packaged space."""
    return "image" if dataset.image_shape else "table"


def default_epochs(dataset: Dataset) -> int:
    """Epochs of a trial: the fewer rows, the more, as an epoch of few rows has few updates.

    From 10 to 200 for images, 10 for MNIST; from 10 to 128 for tables, whose trials are judged at their best epoch.
    """
    length = _IMAGES if dataset.image_shape else _TABLES
    return length.epochs(len(dataset.splits["train"]))
