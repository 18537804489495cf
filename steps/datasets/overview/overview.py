"""Overview of a data set before training: its columns, its splits beside each other, and repeated rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from pydantic import TypeAdapter

from steps.datasets.dataset import TRAINING, Dataset, RawTable
from steps.datasets.overview.discrimination import Discrimination, discriminate
from steps.datasets.overview.distances import Distance, distances
from steps.datasets.overview.repeats import Repeats, find_repeats, first_of_each, row_hashes
from steps.datasets.split import training_rows
from steps.datasets.tabular.arrays import as_array
from steps.datasets.tabular.distribution import Distribution, as_numbers, distribution_of
from steps.datasets.tabular.rows import Rows
from steps.datasets.tabular.schema import Column

_SAMPLE = 20_000  # rows of each split that are compared
BRIGHTNESS = Column("brightness", "number", "mean of the pixels of an image, from 0 to 1")


@dataclass(frozen=True)
class ColumnOverview:
    """A column of a table, or the brightness of images.

    Attributes:
        training: Distribution in all rows that a model may learn from; it excludes test rows.
        distances: By split, from the training rows.
    """

    column: Column
    training: Distribution
    distances: Mapping[str, Distance]


@dataclass(frozen=True)
class Overview:
    """Statistics of a data set.

    Attributes:
        columns: Columns of the table in its order; for images their brightness.
        discrimination: Result of a classifier of training and test rows; None for images and few rows.
    """

    columns: tuple[ColumnOverview, ...]
    repeats: Repeats
    discrimination: Discrimination | None


OVERVIEW = TypeAdapter(Overview)


def overview_of(dataset: Dataset) -> Overview:
    """The overview of a data set as it was loaded from its source."""
    learnable = training_rows(dataset)
    hashes = {name: row_hashes(split.features) for name, split in dataset.whole_splits.items()}
    is_table = dataset.raw is not None
    different = {
        name: first_of_each(keys) if dataset.raw and dataset.raw.are_copies else np.arange(len(keys))
        for name, keys in hashes.items()
    }
    columns = _columns(dataset, {name: _sampled(rows) for name, rows in different.items()})
    repeats = find_repeats(learnable, dataset.splits["test"], hashes, are_images=not is_table)
    if not is_table:
        return Overview(columns, repeats, None)
    features = [dataset.splits[name].features[different[name]] for name in ("train", "test")]
    return Overview(columns, repeats, discriminate(*features))


def _sampled(rows: np.ndarray) -> np.ndarray:
    if len(rows) <= _SAMPLE:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, _SAMPLE, replace=False))


def _columns(dataset: Dataset, compared: Mapping[str, np.ndarray]) -> tuple[ColumnOverview, ...]:
    """The columns of a data set.

    Args:
        compared: Positions of the rows of each split whose values are compared.
    """
    found = []
    n_columns = len(dataset.columns.schema.columns) if dataset.columns else 1
    for column, values in _values(dataset):
        learnable = np.concatenate([values[name] for name in TRAINING if name in values])
        samples = {name: values[name][rows] for name, rows in compared.items()}
        short = replace(column, levels=())  # the page shows the most frequent ones
        found.append(ColumnOverview(short, distribution_of(column, learnable), distances(column, samples, n_columns)))
    return tuple(found)


def _values(dataset: Dataset) -> Iterator[tuple[Column, dict[str, np.ndarray]]]:
    """Each column with its (n,) numbers in each split."""
    if dataset.raw is None or dataset.columns is None:
        yield BRIGHTNESS, {name: _brightness(dataset, name) for name in dataset.whole_splits}
        return
    for column in dataset.columns.schema.columns:
        yield column, _of_table(column, dataset.raw)


def _of_table(column: Column, raw: RawTable) -> dict[str, np.ndarray]:
    values = as_numbers(column, as_array(raw.table.column(column.name), column.name))
    found = {name: values[rows] for name, rows in raw.rows.items()}
    if raw.test is not None:
        found["test"] = as_numbers(column, Rows(raw.test).column(column.name))
    return found


def _brightness(dataset: Dataset, name: str) -> np.ndarray:
    means: np.ndarray = dataset.splits[name].features.mean(axis=1) / dataset.feature_max
    return means
