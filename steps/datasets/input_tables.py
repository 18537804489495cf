"""Readers of CSV and Parquet tables of pixels: features in the order of their pixels, and optionally a label."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from reprlib import repr as shortened

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from steps.base.errors import InputError
from steps.datasets.interface import Interface
from steps.datasets.pixel_columns import in_order, label_column
from steps.datasets.rows import CHUNK_ROWS, BadRow, Raw, check_width
from steps.datasets.sources.damage import one_line, quiet_callbacks, refusing_damage

_BLOCK = 1 << 20  # bytes; the longest row allowed. Arrow reads 32 blocks ahead


class CsvReader:
    """A CSV file in UTF-8 with a header; `position` counts bytes, approximately."""

    key = "row"
    image_sizes: Sequence[tuple[int, int]] = ()

    def __init__(self, path: Path, interface: Interface) -> None:
        self._path = path
        self.size = path.stat().st_size
        misfits: deque[BadRow] = deque()
        with self._open(misfits) as reader:
            try:
                self._names = reader.schema.names
            except UnicodeDecodeError as error:
                raise self._not_csv(error) from error
            is_empty = self._next(reader) is None and not misfits
        self._label, self._features = _roles(self._names)
        self.columns = [self._names[i] for i in self._features]
        check_width(len(self.columns), interface, path)
        if _are_values(self.columns):
            raise InputError(f"input must begin with a line of column names, got numbers in {str(path)!r}")
        if is_empty:
            raise InputError(f"input must have rows below the column names, got {str(path)!r}, which is empty")

    def __iter__(self) -> Iterator[Raw]:
        position, number = 0, 1
        misfits: deque[BadRow] = deque()  # rows with a wrong number of columns; some blocks ahead of the batches
        with self._open(misfits) as reader:
            while (batch := self._next(reader)) is not None:
                # Lengths and content of the cells; a length takes 4 bytes, a separator 1.
                position += batch.nbytes - 3 * batch.num_rows * batch.num_columns
                for start in range(0, batch.num_rows, CHUNK_ROWS):
                    part = batch.slice(start, CHUNK_ROWS)
                    keys: list[int] = []
                    bad: list[BadRow] = []
                    while len(keys) < part.num_rows:
                        if misfits and misfits[0].key == number:
                            bad.append(misfits.popleft())
                        else:
                            keys.append(number)
                        number += 1
                    yield self._raw(part, keys, bad, min(position, self.size))
        yield Raw([], np.empty((0, len(self.columns))), None, self.size, list(misfits))

    def _open(self, misfits: deque[BadRow]) -> pc.CSVStreamingReader:
        """All cells as text, so that a bad one costs only its row; appends to `misfits`."""
        n_blank = 0

        def skip(row: pc.InvalidRow) -> str:
            nonlocal n_blank
            if row.text.strip():
                reason = f"must have {row.expected_columns} columns, got {row.actual_columns}"
                misfits.append(BadRow(row.number - 1 - n_blank, reason))  # the header has number 1
            else:
                n_blank += 1
            return "skip"

        try:
            with quiet_callbacks():
                return pc.open_csv(
                    self._path,
                    pc.ReadOptions(
                        block_size=_BLOCK, use_threads=False
                    ),  # Arrow numbers rows only if it reads on one thread
                    pc.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
                    pc.ConvertOptions(default_column_type=pa.string(), strings_can_be_null=False),
                )
        except pa.ArrowInvalid as error:
            raise self._not_csv(error) from error

    def _next(self, reader: pc.CSVStreamingReader) -> pa.RecordBatch | None:
        try:
            with quiet_callbacks():
                return next(reader, None)
        except pa.ArrowInvalid as error:
            raise self._not_csv(error) from error

    def _not_csv(self, error: ValueError) -> InputError:
        is_long = "straddling" in str(error)
        reason = f"a row is longer than {_BLOCK:,} bytes: is a quote never closed?" if is_long else one_line(error)
        return InputError(
            f"input must be a CSV file in UTF-8 with a line of column names, got {str(self._path)!r} ({reason})"
        )

    def _raw(self, batch: pa.RecordBatch, keys: list[int], bad: list[BadRow], position: int) -> Raw:
        values = np.empty((batch.num_rows, len(self.columns)), order="F")  # filled by column
        reasons: dict[int, str] = {}
        for i, place in enumerate(self._features):
            column = batch.column(place)
            try:
                values[:, i] = column.cast(pa.float64())
            except pa.ArrowInvalid:  # some cell is not a number: find it
                for row, cell in enumerate(column.to_pylist()):
                    try:
                        values[row, i] = float(cell)
                    except ValueError:
                        reason = f"column {self.columns[i]!r} must be a number, got {shortened(cell)}"
                        reasons.setdefault(row, reason)
        good = [row for row in range(len(keys)) if row not in reasons]
        bad = sorted([*bad, *(BadRow(keys[row], reason) for row, reason in reasons.items())], key=lambda row: row.key)
        labels = None
        if self._label is not None:
            texts = batch.column(self._label).to_pylist()
            labels = [texts[row].strip() for row in good]
        return Raw([keys[row] for row in good], values[good], labels, position, bad)


class ParquetReader:
    """A Parquet file; `position` counts rows."""

    key = "row"
    image_sizes: Sequence[tuple[int, int]] = ()

    def __init__(self, path: Path, interface: Interface) -> None:
        self._path = path
        with refusing_damage("a Parquet file", path):
            self._file = pq.ParquetFile(path)
            schema = self._file.schema_arrow
            self.size = self._file.metadata.num_rows
        self._label, self._features = _roles(schema.names)
        self.columns = [schema.names[i] for i in self._features]
        check_width(len(self.columns), interface, path)
        for field in map(schema.field, self._features):
            kind = field.type
            if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
                raise InputError(f"input must have numbers in every column, got {kind} in column {field.name!r}")
        if self.size == 0:
            raise InputError(f"input must have rows, got {str(path)!r}, which is empty")

    def __iter__(self) -> Iterator[Raw]:
        end = 0
        with refusing_damage("an undamaged Parquet file", self._path):
            for batch in self._file.iter_batches(CHUNK_ROWS):
                batch.validate(full=True)
                start, end = end, end + batch.num_rows
                columns = [batch.column(i).cast(pa.float64(), safe=False) for i in self._features]
                labels = None
                if self._label is not None:
                    labels = [str(label) for label in batch.column(self._label).to_pylist()]
                yield Raw(range(start + 1, end + 1), np.column_stack(columns), labels, end)


def _roles(names: Sequence[str]) -> tuple[int | None, list[int]]:
    """Position of the labels, and those of the features in the order of the model."""
    label = label_column(names)
    features = [i for i in range(len(names)) if i != label]
    return label, [features[i] for i in in_order([names[i] for i in features])]


def _are_values(names: Sequence[str]) -> bool:
    """Whether the header is a row of numbers; 0, 1, 2, … are pandas' default names."""
    try:
        numbers = [float(name) for name in names]
    except ValueError:
        return False
    return numbers not in (list(range(len(numbers))), list(range(1, len(numbers) + 1)))
