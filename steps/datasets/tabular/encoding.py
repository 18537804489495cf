"""Raw rows as one array of numbers for a network, fitted on training rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .encoders import Fit, encoder_of
from .errors import SchemaError
from .rows import Rows
from .schema import Column, Schema
from .values import Fault

_CHUNK = 1 << 16  # rows


class Encoding:
    """Encoding of raw rows as features; the layout follows from the schema alone, so that all folds share it.

    A row is `n_dense` numbers, then an integer per category with many levels: its row in an embedding table that all of
    them share. The first row of each category stands for missing, unseen and rare levels.

    Attributes:
        columns: The raw columns, in order.
        names: One per feature; an embedded category has the name of its column.
        numbers: Positions of the features that are scaled numbers or instants.
        n_dense: Number of dense features, which come first.
        level_counts: Number of rows of each embedded category in the embedding table.
        n_levels: Number of rows of the embedding table.
    """

    def __init__(self, columns: tuple[Column, ...], fits: tuple[Fit, ...]) -> None:
        self.columns, self._fits = columns, fits
        self._encoders = [encoder_of(column, fit) for column, fit in zip(columns, fits, strict=True)]
        embedded = [(c.name, e.n_levels) for c, e in zip(columns, self._encoders, strict=True) if e.n_levels]
        dense = [name for encoder in self._encoders for name in encoder.names]
        self.names = (*dense, *(name for name, _ in embedded))
        self.n_dense = len(dense)
        scaled = {column.name for column in columns if column.kind in ("number", "date")}
        self.numbers = tuple(i for i, name in enumerate(dense) if name in scaled)
        self.level_counts = tuple(count for _, count in embedded)
        self.n_levels = sum(self.level_counts)

    @classmethod
    def fit(cls, schema: Schema, training_rows: pa.Table | pd.DataFrame) -> Encoding:
        """Fit medians, scales and known levels on training rows.

        Raises:
            SchemaError: A column is missing.
        """
        rows = Rows(training_rows)
        rows.require(schema.names)
        fits = tuple(encoder_of(column, Fit()).fitted(rows.column(column.name)) for column in schema.columns)
        return cls(schema.columns, fits)

    @property
    def n_features(self) -> int:
        """Width of an encoded row: dense features and codes."""
        return self.n_dense + len(self.level_counts)

    def encode(self, table: pa.Table | pd.DataFrame, faults: list[Fault] | None = None) -> np.ndarray:
        """(n, n_features) float32 from raw rows; columns in any order, further ones are ignored.

        Args:
            faults: Collects invalid cells, which count as missing; without it, the first one raises.

        Raises:
            SchemaError: A column is missing, or a cell is not a value of its column.
        """
        rows = Rows(table)
        rows.require(column.name for column in self.columns)
        out = np.zeros((len(rows), self.n_features), np.float32)
        for start in range(0, len(rows), _CHUNK):
            found: list[Fault] = []
            self._fill(out[start : start + _CHUNK], rows, start, found)
            if found and faults is None:
                raise SchemaError(str(replace(found[0], row=found[0].row + start)))
            if faults is not None:
                faults += [replace(fault, row=fault.row + start) for fault in found]
        return out

    def _fill(self, out: np.ndarray, rows: Rows, start: int, faults: list[Fault]) -> None:
        dense, code, offset = 0, self.n_dense, 0
        for column, encoder in zip(self.columns, self._encoders, strict=True):
            array = rows.column(column.name, start, start + len(out))
            if encoder.n_levels:
                encoder.fill(out[:, code : code + 1], array, faults)
                out[:, code] += offset
                code, offset = code + 1, offset + encoder.n_levels
            else:
                encoder.fill(out[:, dense : dense + len(encoder.names)], array, faults)
                dense += len(encoder.names)

    def to_json(self) -> dict[str, Any]:
        """Input of `from_json`, as JSON types."""
        fits = [{**asdict(fit), "unknown": list(fit.unknown)} for fit in self._fits]
        return {"columns": Schema(self.columns).to_json()["columns"], "fits": fits}

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Encoding:
        """The inverse of `to_json`; it encodes to the same bits."""
        columns = tuple(Column.from_json(column) for column in about["columns"])
        return cls(columns, tuple(Fit(**{**fit, "unknown": tuple(fit["unknown"])}) for fit in about["fits"]))
