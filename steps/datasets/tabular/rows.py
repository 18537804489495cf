"""Raw rows of an Arrow table or a DataFrame, by column name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
import pyarrow as pa

from .arrays import Cells, as_array
from .errors import SchemaError
from .names import nearest

_FEW = 64  # rows that cost less as Python values than as pandas columns


class Rows:
    """Columns by name, one range of rows at a time.

    Raises:
        SchemaError: Two columns have the same name.
    """

    def __init__(self, table: pa.Table | pa.RecordBatch | pd.DataFrame) -> None:
        self._table: Any = table
        names = table.columns if isinstance(table, pd.DataFrame) else table.schema.names
        self.names = [str(name) for name in names]
        self._positions = {name: i for i, name in enumerate(self.names)}
        if len(self._positions) < len(self.names):
            twice = next(name for i, name in enumerate(self.names) if self._positions[name] != i)
            raise SchemaError(f"column {twice!r} occurs twice; give each column a name of its own")
        self._is_frame = isinstance(table, pd.DataFrame)
        self._cells = table.to_numpy(object) if self._is_frame and len(table) <= _FEW else None

    def __len__(self) -> int:
        return len(self._table)

    def require(self, names: Iterable[str]) -> None:
        """Refuse rows that lack one of the columns.

        Raises:
            SchemaError: A column is missing; the message has the first one and the most similar name.
        """
        for name in names:
            if name not in self._positions:
                raise SchemaError(f"column {name!r} is missing{nearest(name, self.names)}")

    def column(self, name: str, start: int = 0, stop: int | None = None) -> Cells:
        """Rows `start` to `stop` (exclusive) of a column."""
        position = self._positions[name]
        if self._cells is not None:
            return self._cells[start:stop, position].tolist()
        if self._is_frame:
            return as_array(self._table.iloc[start:stop, position], name)
        stop = len(self) if stop is None else min(stop, len(self))
        values = self._table.column(position).slice(start, stop - start)
        is_few = len(self) <= _FEW and not pa.types.is_nested(values.type)
        return values.to_pylist() if is_few else as_array(values, name)
