"""Readers of tables: CSV and Parquet, with column names, features in the order of the model, optionally a label."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from steps.base.errors import InputError
from steps.datasets.inputs import CHUNK_ROWS, LABEL, BadRow, Raw, check_width
from steps.datasets.interface import Interface


class CsvReader:
    """A CSV file in UTF-8 whose first line names the columns; `position` counts characters."""

    key = "row"

    def __init__(self, path: Path, interface: Interface) -> None:
        self._path = path
        self.size = path.stat().st_size
        with path.open(encoding="utf-8-sig", newline="") as file:
            try:
                self._names = next(csv.reader([file.readline()]), [])
                more = bool(file.read(1))
            except (UnicodeDecodeError, csv.Error) as error:
                raise InputError(f"input must be a CSV file in UTF-8, got {str(path)!r} ({error})") from error
        if not self._names or not more:
            raise InputError(f"input must have a line of column names and rows, got {str(path)!r}, which is empty")
        self.columns = [name for name in self._names if name != LABEL]
        check_width(len(self.columns), interface, path)
        if _are_values(self.columns):
            raise InputError(f"input must begin with a line of column names, got numbers in {str(path)!r}")

    def __iter__(self) -> Iterator[Raw]:
        number, position = 1, 0
        with self._path.open(encoding="utf-8-sig", newline="") as file:
            file.readline()
            try:
                while lines := list(islice(file, CHUNK_ROWS)):
                    position += sum(map(len, lines))
                    rows = [line for line in lines if line.strip()]
                    yield self._parse(rows, range(number, number + len(rows)), position)
                    number += len(rows)
            except UnicodeDecodeError as error:
                raise InputError(f"input must be a CSV file in UTF-8, got {str(self._path)!r} ({error})") from error

    def _parse(self, lines: list[str], keys: Sequence[int], position: int) -> Raw:
        commas = len(self._names) - 1
        if all(line.count(",") == commas for line in lines):
            types = {i: str if name == LABEL else np.float64 for i, name in enumerate(self._names)}
            try:
                frame = pd.read_csv(
                    io.StringIO("".join(lines)), header=None, dtype=types, keep_default_na=False, na_values=[]
                )
                return self._raw(frame, keys, position, [])
            except ValueError:
                pass  # some row holds text: find it
        return self._parse_by_row(lines, keys, position)

    def _parse_by_row(self, lines: list[str], keys: Sequence[int], position: int) -> Raw:
        """As `_parse`, slower, naming each row that is wrong."""
        good: list[list[float | str]] = []
        good_keys: list[int] = []
        bad: list[BadRow] = []
        for key, line in zip(keys, lines, strict=True):
            try:
                good.append(self._row(next(csv.reader([line]))))
                good_keys.append(key)
            except (ValueError, csv.Error) as error:
                bad.append(BadRow(key, str(error)))
        frame = pd.DataFrame(good, columns=range(len(self._names)))
        return self._raw(frame, good_keys, position, bad)

    def _row(self, cells: list[str]) -> list[float | str]:
        if len(cells) != len(self._names):
            raise ValueError(f"must have {len(self._names)} columns, got {len(cells)}")
        row: list[float | str] = []
        for name, cell in zip(self._names, cells, strict=True):
            try:
                row.append(cell if name == LABEL else float(cell))
            except ValueError:
                raise ValueError(f"column {name!r} must be a number, got {cell!r}") from None
        return row

    def _raw(self, frame: pd.DataFrame, keys: Sequence[int], position: int, bad: list[BadRow]) -> Raw:
        features = [i for i, name in enumerate(self._names) if name != LABEL]
        labels = None
        if LABEL in self._names:
            labels = [str(label).strip() for label in frame[self._names.index(LABEL)]]
        return Raw(keys, frame[features].to_numpy(np.float64), labels, position, bad)


class ParquetReader:
    """A Parquet file; `position` counts rows."""

    key = "row"

    def __init__(self, path: Path, interface: Interface) -> None:
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"input must be a Parquet file, got {str(path)!r} ({error})") from error
        schema = self._file.schema_arrow
        self.size = self._file.metadata.num_rows
        self.columns = [name for name in schema.names if name != LABEL]
        self._labelled = LABEL in schema.names
        check_width(len(self.columns), interface, path)
        for name in self.columns:
            kind = schema.field(name).type
            if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
                raise InputError(f"input must have numbers in every column, got {kind} in column {name!r}")
        if self.size == 0:
            raise InputError(f"input must have rows, got {str(path)!r}, which is empty")

    def __iter__(self) -> Iterator[Raw]:
        number = 1
        for batch in self._file.iter_batches(CHUNK_ROWS):
            columns = [batch.column(name).to_numpy(zero_copy_only=False) for name in self.columns]
            values = np.column_stack([column.astype(np.float64) for column in columns])
            labels = [str(label) for label in batch.column(LABEL).to_pylist()] if self._labelled else None
            yield Raw(range(number, number + len(values)), values, labels, number + len(values) - 1)
            number += len(values)


def _are_values(names: Sequence[str]) -> bool:
    """Whether a line of "names" is a row of numbers; 0, 1, 2, … are names that pandas gives."""
    try:
        numbers = [float(name) for name in names]
    except ValueError:
        return False
    return numbers not in (list(range(len(numbers))), list(range(1, len(numbers) + 1)))
