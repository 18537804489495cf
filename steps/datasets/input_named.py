"""Raw rows for a model of a table; columns are found by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from steps.base.errors import InputError
from steps.datasets.input_parts import open_parts
from steps.datasets.parts import Part, Parts
from steps.datasets.rows import Chunk
from steps.datasets.sources.cells import trimmed, typed
from steps.datasets.sources.decimal_comma import with_points
from steps.datasets.sources.source import SourceError
from steps.datasets.tabular.columns import Columns
from steps.datasets.tabular.names import nearest
from steps.datasets.tabular.predictions import names as output_names
from steps.datasets.tabular.schema import Column
from steps.datasets.tabular.targets import read_target
from steps.datasets.tabular.values import Fault
from steps.datasets.tabular.words import is_whole

_ROW = "row"


def open_table(given: str, columns: Columns, key_column: str, *, with_targets: bool = True) -> TableRows:
    """The rows of a file or of a folder of Parquet files, with the columns of a model.

    Args:
        key_column, with_targets: As in `TableRows`.

    Raises:
        InputError: The input is missing, unreadable or empty, or lacks a column of the model.
    """
    try:
        return TableRows(open_parts(given), columns, key_column, given, with_targets=with_targets)
    except SourceError as error:
        raise InputError(f"input {error}") from error


class TableRows:
    """Raw rows with the columns of a model, and their targets if there is a target column.

    Args:
        key_column: Column that identifies the rows in the output; empty for row numbers.
        given: Name of the input, for messages.
        with_targets: Whether the target column is read if it is there.
    """

    image_sizes: Sequence[tuple[int, int]] = ()
    left_out = ""

    def __init__(
        self, parts: Parts, columns: Columns, key_column: str, given: str, *, with_targets: bool = True
    ) -> None:
        self._parts, self._columns, self._given = parts, columns, given
        for name in columns.schema.names:
            if name not in parts.types:
                known = {*columns.schema.names, columns.target.name}
                hint = nearest(name, [other for other in parts.types if other not in known])
                raise InputError(f"input must have the columns of the model, got {given!r}: no column {name!r}{hint}")
        if key_column and key_column not in parts.types:
            raise InputError(
                f"key_column must be a column of the input, got {key_column!r}{nearest(key_column, parts.types)}"
            )
        if key_column in output_names(columns.target, columns.interval):
            raise InputError(f"key_column must have another name than the columns of the output, got {key_column!r}")
        self.size = parts.size
        self._key_column, self.key = key_column, key_column or _ROW
        self.key_type = plain_type(parts.types[key_column]) if key_column else pa.int64()
        self._has_targets = with_targets and columns.target.name in parts.types
        extra = [key_column] if key_column else []
        extra += [columns.target.name] if self._has_targets else []
        self._needed = list(dict.fromkeys((*columns.schema.names, *extra)))
        if not any(part.table.num_rows or part.bad for part in parts.read(self._needed)):
            raise InputError(f"input must have rows, got {given!r}, which is empty")

    def __iter__(self) -> Iterator[Chunk]:
        try:
            yield from map(self._chunk, self._parts.read(self._needed))
        except SourceError as error:
            raise InputError(f"input {error}") from error

    def _chunk(self, part: Part) -> Chunk:
        faults: list[Fault] = []
        targets = None
        if self._has_targets:
            targets = read_target(self._columns.target, part.table.column(self._columns.target.name), faults)
        keys = part.table.column(self._key_column) if self._key_column else pa.array(part.numbers)
        cells = [self._as_trained(column, part.table.column(column.name)) for column in self._columns.schema.columns]
        table = pa.table(cells, names=[*self._columns.schema.names])
        chunk = Chunk(part.numbers, _combined(keys).cast(self.key_type), table, targets, part.bad, part.position)
        return chunk.without(faults)[0]

    def _as_trained(self, column: Column, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        """Text cells spelled as in training: 1.5 for 1,5, and the category 1.5 for 1.50."""
        if not pa.types.is_string(cells.type):
            return cells
        if column.kind == "number" and not column.format and self._parts.has_decimal_commas:
            return with_points(trimmed(cells))
        return typed(trimmed(cells)) if column.kind == "category" and _are_fractions(column.levels) else cells


def _are_fractions(levels: tuple[str, ...]) -> bool:
    try:
        return all(np.isfinite([float(level) for level in levels])) and not all(map(is_whole, levels))
    except ValueError:
        return False


def plain_type(type_: pa.DataType) -> pa.DataType:
    """Type of a key column in the output; text if a CSV file cannot hold the input's type."""
    is_known = pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_temporal(type_)
    return type_ if is_known or pa.types.is_boolean(type_) else pa.string()


def _combined(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
