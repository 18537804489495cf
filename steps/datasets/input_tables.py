"""Reader of tables of pixels: features by the numbers in their names or by position, and optionally a label."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from reprlib import repr as shortened

import numpy as np
import pyarrow as pa

from steps.base.errors import InputError
from steps.datasets.input_parts import open_parts
from steps.datasets.interface import Interface
from steps.datasets.parts import Part
from steps.datasets.pixel_columns import label_column, pixel_columns
from steps.datasets.rows import CHUNK_ROWS, BadRow, Raw, check_width
from steps.datasets.sources.cells import trimmed
from steps.datasets.sources.decimal_comma import with_points
from steps.datasets.sources.tables import PANDAS_INDEX


class TableReader:
    """A file that holds a table, or a folder of Parquet files; `position` counts rows."""

    key = "row"
    image_sizes: Sequence[tuple[int, int]] = ()
    left_out = ""

    def __init__(self, given: str, interface: Interface) -> None:
        self._parts = open_parts(given)
        names = [name for name in self._parts.types if name != PANDAS_INDEX]
        label = label_column(names)
        self._labels = [] if label is None else [names[label]]
        others = [name for name in names if name not in self._labels]
        self.columns = [others[i] for i in pixel_columns(others, interface.n_features)]
        check_width(len(self.columns), interface, given)
        for name in self.columns:
            if not _may_be_numbers(self._parts.types[name]):
                raise InputError(
                    f"input must have numbers in every column, got {self._parts.types[name]} in column {name!r}"
                )
        for name in self._labels:
            if pa.types.is_nested(self._parts.types[name]):
                raise InputError(f"input must have one class per row, got {self._parts.types[name]} in column {name!r}")
        self.size = self._parts.size
        if not any(part.table.num_rows or part.bad for part in self._read()):
            raise InputError(f"input must have rows, got {given!r}, which is empty")

    def __iter__(self) -> Iterator[Raw]:
        for part in self._read():
            bad = deque(part.bad)
            for start in range(0, max(1, len(part.numbers)), CHUNK_ROWS):
                numbers = part.numbers[start : start + CHUNK_ROWS]
                is_last = start + CHUNK_ROWS >= len(part.numbers)
                before = []
                while bad and (is_last or int(bad[0].key) < numbers[-1]):
                    before.append(bad.popleft())
                yield self._raw(numbers, part.table.slice(start, CHUNK_ROWS), before, part.position)

    def _read(self) -> Iterator[Part]:
        return self._parts.read([*self.columns, *self._labels])

    def _raw(self, numbers: Sequence[int], table: pa.Table, bad: list[BadRow], position: int) -> Raw:
        values = np.empty((len(numbers), len(self.columns)), order="F")  # filled by column
        reasons: dict[int, str] = {}
        for i, name in enumerate(self.columns):
            values[:, i], words = self._numbers(table.column(name))
            for row, word in words.items():
                reasons.setdefault(row, f"column {name!r} must be a number, got {shortened(word)}")
        good = [row for row in range(len(numbers)) if row not in reasons]
        bad = sorted(
            [*bad, *(BadRow(numbers[row], reason) for row, reason in reasons.items())], key=lambda row: row.key
        )
        labels = table.column(self._labels[0]).take(pa.array(good, pa.int64())) if self._labels else None
        return Raw([numbers[row] for row in good], values[good], labels, position, bad)

    def _numbers(self, cells: pa.ChunkedArray) -> tuple[np.ndarray, dict[int, str]]:
        """(n,) float64, NaN for null; and the cells that are not numbers, by row."""
        if not pa.types.is_string(cells.type):
            return cells.cast(pa.float64(), safe=False).to_numpy(), {}
        if self._parts.has_decimal_commas:
            cells = with_points(trimmed(cells))
        try:
            return cells.cast(pa.float64()).to_numpy(), {}
        except pa.ArrowInvalid:  # some cell is not a number: find it
            values, words = np.full(len(cells), np.nan), {}
        for row, cell in enumerate(cells.to_pylist()):
            try:
                values[row] = float("nan" if cell is None else cell)
            except ValueError:
                words[row] = cell
        return values, words


def _may_be_numbers(kind: pa.DataType) -> bool:
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    is_either = pa.types.is_boolean(kind) or pa.types.is_dictionary(kind) or pa.types.is_null(kind)
    return bool(is_number or is_text or is_either)
