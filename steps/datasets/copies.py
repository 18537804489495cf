"""Rows with equal features and an equal target."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from steps.datasets.tabular.arrays import as_array
from steps.datasets.tabular.dates import instants
from steps.datasets.tabular.schema import Column, Schema
from steps.datasets.tabular.values import read_booleans, read_numbers
from steps.datasets.tabular.words import Levels

_FEW = 20  # numbers; rows that agree in one of more are copies


def row_keys(schema: Schema, table: pa.Table, targets: np.ndarray) -> np.ndarray:
    """(n,) uint64 hashes: equal for equal rows; two different rows collide with probability 2⁻⁶⁴.

    Args:
        table: The columns in any order; further ones are ignored.
        targets: (n,) targets of the rows.
    """
    keys = _bits(targets)
    for column in schema.columns:
        keys = _mixed(keys + _bits(_values(column, table.column(column.name))))
    return keys


def are_inevitable(schema: Schema, table: pa.Table, targets: np.ndarray) -> bool:
    """Return whether the number of possible rows is so small that equal rows need not be copies."""
    n_possible = len(np.unique(targets))
    if n_possible > _FEW and targets.dtype == np.float32:
        return False
    for column in schema.columns:
        n_values = len(np.unique(_values(column, table.column(column.name))))
        n_possible *= n_values
        if n_possible >= len(targets) or (n_values > _FEW and column.kind in ("number", "date")):
            return False
    return True


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
