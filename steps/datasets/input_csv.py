"""Reader in parts of CSV files of any dialect."""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc

from steps.datasets.parts import PART_ROWS, Part
from steps.datasets.rows import BadRow
from steps.datasets.sources.cells import trimmed_table
from steps.datasets.sources.damage import one_line, quiet_callbacks
from steps.datasets.sources.decimal_comma import has_decimal_commas
from steps.datasets.sources.dialect import Dialect, detect_dialect
from steps.datasets.sources.source import SourceError

_BLOCK = 2 << 20  # bytes; the longest row allowed. Arrow reads some blocks ahead
_SCANNED = 1 << 20  # bytes at a time


class CsvParts:
    """A CSV file in the same dialects as in `sources`; all cells are text, so that a bad one costs only its row."""

    def __init__(self, path: Path) -> None:
        self._path, self._dialect = path, detect_dialect(path)
        self._encoding, n_lines = _scanned(path, self._dialect)
        self.size = max(1, n_lines - self._dialect.rows_before)
        self.types = dict.fromkeys(self._dialect.names, pa.string())
        self.has_decimal_commas = self._dialect.separator != "," and self._begins_with_commas()

    def read(self, columns: list[str]) -> Iterator[Part]:
        number = 1
        misfits: deque[BadRow] = deque()  # rows with a wrong number of cells; some blocks ahead of the batches
        for batch in self._batches(columns, misfits):
            for start in range(0, batch.num_rows, PART_ROWS):
                part = batch.slice(start, PART_ROWS)
                numbers: list[int] = []
                bad: list[BadRow] = []
                while len(numbers) < part.num_rows:
                    if misfits and misfits[0].key == number:
                        bad.append(misfits.popleft())
                    else:
                        numbers.append(number)
                    number += 1
                yield Part(numbers, pa.Table.from_batches([part]), min(number - 1, self.size), bad)
        if misfits:
            nothing = pa.table([pa.array([], pa.string())] * len(columns), names=columns)
            yield Part([], nothing, self.size, list(misfits))

    def _begins_with_commas(self) -> bool:
        part = next(self.read(list(self.types)), None)
        return part is not None and has_decimal_commas(trimmed_table(part.table))

    def _batches(self, columns: list[str], misfits: deque[BadRow]) -> Iterator[pa.RecordBatch]:
        """All rows with one cell per name; the others are appended to `misfits`."""
        n_blank = 0

        def skip(row: pc.InvalidRow) -> str:
            nonlocal n_blank
            if row.text.strip():
                reason = f"must have {row.expected_columns} columns, got {row.actual_columns}"
                misfits.append(BadRow(row.number - self._dialect.rows_before - n_blank, reason))
            else:
                n_blank += 1
            return "skip"

        dialect = self._dialect
        try:
            with pa.input_stream(self._path, compression=dialect.compression) as stream:
                yield from _in_silence(
                    stream,
                    pc.ReadOptions(
                        block_size=_BLOCK,
                        use_threads=False,  # Arrow numbers rows only if it reads on one thread
                        column_names=dialect.names,
                        skip_rows_after_names=dialect.rows_before,
                        encoding=self._encoding,
                    ),
                    pc.ParseOptions(delimiter=dialect.separator, newlines_in_values=True, invalid_row_handler=skip),
                    pc.ConvertOptions(
                        default_column_type=pa.string(), strings_can_be_null=False, include_columns=columns
                    ),
                )
        except (pa.ArrowInvalid, UnicodeDecodeError, OSError) as error:
            is_long = "straddling" in str(error)
            long = f"a row is longer than {_BLOCK:,} bytes: is a quote never closed?"
            reason = long if is_long else one_line(error)
            raise SourceError(f"must be an undamaged CSV file, got {str(self._path)!r} ({reason})") from error


def _in_silence(*options: Any) -> Iterator[pa.RecordBatch]:
    """The batches of a CSV file, without what Arrow prints of rows that it cannot decode."""
    with quiet_callbacks():
        reader = pc.open_csv(*options)
    while True:
        with quiet_callbacks():
            batch = next(reader, None)
        if batch is None:
            return
        yield batch


def _scanned(path: Path, dialect: Dialect) -> tuple[str, int]:
    """The encoding of the whole file and the number of its lines; the dialect has seen only its beginning."""
    *firsts, last = dialect.encodings
    for encoding in firsts:
        try:
            return encoding, _n_lines(path, dialect, encoding)
        except UnicodeDecodeError:
            continue
    return last, _n_lines(path, dialect, last)


def _n_lines(path: Path, dialect: Dialect, encoding: str) -> int:
    """Number of lines; raises UnicodeDecodeError if the file has another encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    newlines = returns = 0
    try:
        with pa.input_stream(path, compression=dialect.compression) as stream:
            while block := stream.read(_SCANNED):
                decoder.decode(block)
                newlines, returns = newlines + block.count(b"\n"), returns + block.count(b"\r")
    except OSError as error:
        raise SourceError(f"must be an undamaged file, got {str(path)!r} ({error})") from error
    return newlines or returns
