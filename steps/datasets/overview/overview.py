"""Overview of a data set before training: its columns, its splits beside each other, and repeated rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from pydantic import TypeAdapter

from steps.datasets.dataset import SPLITS, TRAINING, Dataset, RawTable
from steps.datasets.overview.discrimination import COLUMNS, ROWS, Discrimination, discriminate
from steps.datasets.overview.distances import Distance, distances
from steps.datasets.overview.repeats import Repeats, find_repeats
from steps.datasets.overview.rows import first_of_each, row_hashes, sampled, with_targets
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
    splits = dataset.whole_splits
    hashes = {name: row_hashes(split.features) for name, split in splits.items()}
    are_copies = dataset.raw is not None and dataset.raw.are_copies
    different = {
        name: first_of_each(with_targets(hashes[name], split.targets)) if are_copies else np.arange(len(split))
        for name, split in splits.items()
    }  # as copies are kept together, more of them do not mean more of the same kind
    repeats = find_repeats(splits, hashes, are_images=dataset.raw is None)
    n_columns = len(dataset.columns.schema.columns) if dataset.columns else 1
    compared = {name: sampled(rows, _SAMPLE) for name, rows in different.items()}
    told = {name: sampled(different[name], ROWS) for name in ("train", "test")}
    are_told = set(sampled(np.arange(n_columns), COLUMNS).tolist())
    columns, parts = [], []
    for i, (column, values) in enumerate(_values(dataset)):
        columns.append(_overview_of(column, values, compared, n_columns))
        if i in are_told:
            parts.append([values[name][rows] for name, rows in told.items()])
    if dataset.raw is None:
        return Overview(tuple(columns), repeats, None)
    train, test = (np.stack(part, axis=1) for part in zip(*parts, strict=True))  # (n_columns, 2, n) -> 2 (n, n_columns)
    return Overview(tuple(columns), repeats, discriminate(train, test))


def _overview_of(
    column: Column, values: Mapping[str, np.ndarray], compared: Mapping[str, np.ndarray], n_columns: int
) -> ColumnOverview:
    """A column.

    Args:
        values: Its (n,) numbers in each split.
        compared: Positions of the rows of each split whose values are compared.
    """
    learnable = np.concatenate([values[name] for name in TRAINING if name in values])
    samples = {name: values[name][rows] for name, rows in compared.items()}
    short = replace(column, levels=())  # the distribution has the most frequent ones
    return ColumnOverview(short, distribution_of(column, learnable), distances(column, samples, n_columns))


def _values(dataset: Dataset) -> Iterator[tuple[Column, dict[str, np.ndarray]]]:
    """Each column with its (n,) numbers in each split."""
    if dataset.raw is None or dataset.columns is None:
        yield BRIGHTNESS, {name: _brightness(dataset, name) for name in SPLITS if name in dataset.splits}
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
