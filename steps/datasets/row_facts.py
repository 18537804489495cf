"""Facts about rows that decide how they are split: copies, groups, times, and splits named by the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from steps.base.errors import InputError
from steps.datasets.copies import are_coincidences, row_keys
from steps.datasets.request import DataRequest
from steps.datasets.tabular.arrays import as_array
from steps.datasets.tabular.date_formats import find_date_format
from steps.datasets.tabular.dates import instants, seconds
from steps.datasets.tabular.inference import Inference
from steps.datasets.tabular.kinds import ALMOST_ALL
from steps.datasets.tabular.values import numbers_of
from steps.datasets.tabular.words import count_words, words

_SPELLINGS = {
    "train": ("train", "training", "tr", "fit"),
    "validation": ("validation", "validate", "valid", "val", "dev", "development"),
    "test": ("test", "testing", "te", "holdout", "hold-out", "evaluation", "eval"),
}
_SPLIT_OF = {word: name for name, spellings in _SPELLINGS.items() for word in spellings}


@dataclass(frozen=True)
class RowFacts:
    """Facts about the n rows with a target.

    Attributes:
        keys: (n,) uint64, equal for copies.
        n_equal: Number of rows that equal an earlier one.
        are_copies: Whether equal rows are copies. If the columns have few values, they are not; all
            `keys` then differ.
        groups: (n,) group numbers from 0; groups stay together. A row without a group is a group of its own.
        times: (n,) float64; None if the rows have no order.
        stated: Positions of the rows of each split named by the table; empty if there are none.
    """

    keys: np.ndarray
    n_equal: int
    are_copies: bool
    groups: np.ndarray
    times: np.ndarray | None
    stated: Mapping[str, np.ndarray]


def read_facts(table: pa.Table, found: Inference, request: DataRequest) -> RowFacts:
    """Facts about the rows of a table that have a target.

    Raises:
        InputError: A time is missing or invalid, or the name of a split is.
    """
    rows = found.labels.rows
    used = table if not found.labels.n_missing else table.take(pa.array(rows))
    keys = row_keys(found.schema, used, found.labels.values)
    n_equal = len(keys) - len(np.unique(keys))
    are_copies = not are_coincidences(found.schema, used, found.labels.values, n_equal)
    return RowFacts(
        keys=keys if are_copies else np.arange(len(rows), dtype=np.uint64),
        n_equal=n_equal,
        are_copies=are_copies,
        groups=_groups(table, request.group_column)[rows] if request.group_column else np.arange(len(rows)),
        times=_times(table, request.time_column, rows) if request.time_column else None,
        stated=_splits(table, request.split_column, rows) if request.split_column else {},
    )


def _groups(table: pa.Table, name: str) -> np.ndarray:
    positions, found = words(as_array(table.column(name), name))
    numbers: dict[str, int] = {}
    groups = np.array([*(-1 if word is None else numbers.setdefault(word, len(numbers)) for word in found), -1])[
        positions
    ]
    return np.where(groups < 0, len(numbers) + np.arange(len(groups)), groups)


def _times(table: pa.Table, name: str, rows: np.ndarray) -> np.ndarray:
    array = as_array(table.column(name), name)
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        times = seconds(instants(array, ""))
    elif pa.types.is_string(array.type):
        counts, _ = count_words(array)
        written = find_date_format(list(counts), ALMOST_ALL) if counts else None
        times = seconds(instants(array, written.format)) if written else numbers_of(array)[0]
    else:
        times = numbers_of(array)[0]
    times = np.asarray(times[rows], float)
    if not np.isfinite(times).all():
        row = int(rows[np.argmin(np.isfinite(times))])
        raise InputError(
            f"time_column must hold a date or a number in each row, got {array[row].as_py()!r} in row {row + 1} "
            f"of {name!r}"
        )
    return times


def _splits(table: pa.Table, name: str, rows: np.ndarray) -> dict[str, np.ndarray]:
    array = as_array(table.column(name), name)
    positions, found = words(array)
    known = [*_SPELLINGS]
    names = [_SPLIT_OF.get((word or "").casefold()) for word in found]
    splits = np.array([*(known.index(split) if split else -1 for split in names), -1])[positions][rows]
    if (splits < 0).any():
        row = int(rows[np.argmin(splits)])
        raise InputError(
            f"split_column must hold train, validation or test in each row, got {array[row].as_py()!r} in row "
            f"{row + 1} of {name!r}"
        )
    stated = {split: np.flatnonzero(splits == i) for i, split in enumerate(known)}
    if not len(stated["train"]):
        raise InputError(f"split_column must hold train in some rows, got none in {name!r}")
    return {split: part for split, part in stated.items() if len(part)}
