"""Rows with equal features and an equal target."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from steps.datasets.tabular.arrays import as_array
from steps.datasets.tabular.dates import instants
from steps.datasets.tabular.schema import Column, Schema
from steps.datasets.tabular.values import read_booleans, read_numbers
from steps.datasets.tabular.words import Levels

_MANY = 0.1  # share of the rows
_ALMOST_ALL = 0.8  # share of the equal rows


def row_keys(
    schema: Schema, table: pa.Table, targets: np.ndarray, shuffled: np.random.Generator | None = None
) -> np.ndarray:
    """(n,) uint64 hashes: equal for equal rows; two different rows collide with probability 2⁻⁶⁴.

    Args:
        table: The columns in any order; further ones are ignored.
        targets: (n,) targets of the rows.
        shuffled: If given, the hashes are those of rows with the cells of each column in another order.
    """
    keys = _bits(targets)
    for column in schema.columns:
        values = _values(column, table.column(column.name))
        keys = _mixed(keys + _bits(shuffled.permutation(values) if shuffled else values))
    return keys


def are_coincidences(schema: Schema, table: pa.Table, targets: np.ndarray, n_equal: int) -> bool:
    """Return whether about as many rows were equal if the columns had nothing to do with each other.

    Few columns of few values make few different rows, which need not be copies. A few equal rows are taken for copies:
    it does no harm to keep them together.

    Args:
        n_equal: Number of rows that equal an earlier one.
    """
    if n_equal < _MANY * len(targets):
        return False
    keys = row_keys(schema, table, targets, np.random.default_rng(0))
    return len(keys) - len(np.unique(keys)) >= _ALMOST_ALL * n_equal


def mixed_rows(columns: Iterable[np.ndarray]) -> np.ndarray:
    """(n,) uint64 hashes of rows, from the (n,) unsigned integers of each column."""
    keys = np.zeros(1, np.uint64)
    for bits in columns:
        keys = _mixed(keys + bits)
    return keys


def _values(column: Column, cells: pa.ChunkedArray) -> np.ndarray:
    array = as_array(cells, column.name)
    if column.kind == "category":
        return Levels(column.levels).indices(array)
    if column.kind == "boolean":
        return read_booleans(array)
    if column.kind == "date":
        return instants(array, column.format).astype(np.int64)
    return read_numbers(column, array, [])


def _bits(values: np.ndarray) -> np.ndarray:
    """(n,) uint64; 0 and −0 are equal, and so are all NaN."""
    numbers = values.astype(float) + 0.0
    return np.where(np.isnan(numbers), np.nan, numbers).view(np.uint64)


def _mixed(keys: np.ndarray) -> np.ndarray:
    """The finalizer of SplitMix64 (Steele, Lea & Flood, "Fast Splittable Pseudorandom Number Generators", 2014)."""
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = keys ^ (keys >> np.uint64(31))
    return mixed
