"""Format of a CSV file, inferred from its beginning: compression, encoding, separator and column names."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pyarrow as pa

from steps.datasets.sources.source import SourceError
from steps.datasets.sources.tables import check_names

_HEAD = 1 << 20  # bytes that are inspected
ENCODINGS = ("utf-8", "cp1252", "latin-1")  # tried in this order; any file can be read with the last one
_ROWS = 200  # rows that vote for a separator
_NEARLY = 1.1  # ratio of two steps
_SEPARATORS = (",", ";", "\t", "|")
_COMPRESSIONS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
_OTHER_FORMATS = {
    b"PK\x03\x04": "a ZIP archive or an Excel file; unpack it, or save it as CSV",
    b"PAR1": "a Parquet file; name it .parquet",
    b"ARROW1": "a Feather file; name it .feather",
    b"\x93NUMPY": "a NumPy file; name it .npy",
    b"\xd0\xcf\x11\xe0": "an Excel file; save it as CSV",
    b"%PDF": "a PDF file; save its table as CSV",
    b"\x89HDF": "an HDF5 file; save its table as CSV or Parquet",
}
_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*")
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*")  # the first line of files that Excel writes


@dataclass(frozen=True)
class Dialect:
    """Format of a CSV file.

    Attributes:
        compression: As Arrow names it, or None.
        encoding: As Python names it.
        separator: Character between two cells.
        names: Column names, all different.
        rows_before: Rows before the first row of data, blank ones and the names included.
        notes: Remarks, a sentence each.
    """

    compression: str | None
    encoding: str
    separator: str
    names: tuple[str, ...]
    rows_before: int
    notes: tuple[str, ...]

    @property
    def encodings(self) -> tuple[str, ...]:
        """Possible encodings of the whole file, in the order to try: only its beginning has been inspected."""
        known = self.encoding in ENCODINGS
        return ENCODINGS[ENCODINGS.index(self.encoding) :] if known else (self.encoding,)


def detect_dialect(path: Path) -> Dialect:
    """Infer the format from the first megabyte of a file.

    Raises:
        SourceError: The file is empty, damaged or not text, or two columns have the same name.
    """
    compression, head, is_whole = _head(path)
    encoding = _encoding(head, path)
    text = codecs.getincrementaldecoder(encoding)().decode(head)
    lines = io.StringIO(text, newline="")
    stated = _SEPARATOR_LINE.fullmatch(text.partition("\n")[0])
    rows_before = 0
    if stated:
        lines.readline()
        rows_before = 1
    separator = stated[1] if stated else _separator(lines.getvalue(), is_whole)
    rows = list(_rows(lines.read(), separator, is_whole))
    while rows and not any(map(str.strip, rows[0])):
        rows.pop(0)
        rows_before += 1
    if not rows:
        raise SourceError(f"must be a file with rows, got {str(path)!r}, which is empty")
    notes: list[str] = []
    if _is_data(rows[0]):
        names = [f"column_{i}" for i in range(len(rows[0]))]
        notes.append(f"The file has no header; its columns are named {names[0]} to {names[-1]}.")
    else:
        names = _names(rows)
        rows_before += 1
    check_names(names, path)
    return Dialect(compression, encoding, separator, tuple(names), rows_before, tuple(notes))


def _head(path: Path) -> tuple[str | None, bytes, bool]:
    """The compression, the first bytes uncompressed, and whether they are the whole file."""
    with path.open("rb") as file:
        start = file.read(8)
    for magic, what in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise SourceError(f"must be a CSV file, got {str(path)!r}, which is {what}")
    compression = next((name for magic, name in _COMPRESSIONS.items() if start.startswith(magic)), None)
    try:
        with pa.input_stream(path, compression=compression) as stream:
            head = stream.read(_HEAD + 1)
    except OSError as error:
        raise SourceError(f"must be an undamaged file, got {str(path)!r} ({error})") from error
    return compression, head[:_HEAD], len(head) <= _HEAD


def _encoding(head: bytes, path: Path) -> str:
    for mark, name in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return name
    if b"\x00" in head:
        for name, zeros in (("utf-16-le", head[1:200:2]), ("utf-16-be", head[:200:2])):
            if zeros.count(0) > 0.9 * len(zeros):
                return name
        raise SourceError(f"must be a CSV file, got {str(path)!r}, which holds no text")
    for name in ("utf-8", "cp1252"):
        try:
            codecs.getincrementaldecoder(name)().decode(head)
        except UnicodeDecodeError:
            continue
        return name
    return "latin-1"


def _rows(text: str, separator: str, is_whole: bool, *, strict: bool = False) -> Sequence[list[str]]:
    """The first rows, without a last one that may be cut off; `strict`: up to a quote inside a cell."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict):
            rows.append(row)
            if len(rows) > _ROWS:
                return rows
    except csv.Error:  # such a quote, or a cell of more than 131,072 characters; Arrow will judge it
        return rows
    return rows if is_whole or len(rows) < 2 else rows[:-1]


def _separator(text: str, is_whole: bool) -> str:
    """The character that splits most rows into as many cells as the header; of equal ones, that with most cells."""
    best, chosen = (0.0, 1), ","
    for separator in _SEPARATORS:
        n_rows = len(_filled(_rows(text, separator, is_whole)))
        rows = _filled(_rows(text, separator, is_whole, strict=True))  # a wrong separator opens quotes inside cells
        if not rows or len(rows[0]) < 2:
            continue
        width = Counter(map(len, rows)).most_common(1)[0][0]
        share = sum(len(row) == width for row in rows) / n_rows
        if abs(width - len(rows[0])) <= 1 and (share, width) > best:
            best, chosen = (share, width), separator
    return chosen


def _filled(rows: Sequence[list[str]]) -> list[list[str]]:
    return [row for row in rows if any(map(str.strip, row))]


def _is_data(row: Sequence[str]) -> bool:
    """Return whether the first row is data, not names: numbers that do not count up or down like years or indices."""
    if not all(map(str.strip, row)):
        return False
    numbers = [float(cell.replace(",", ".")) for cell in row if _NUMBER.fullmatch(cell)]
    if len(numbers) == len(row):
        return numbers not in (list(range(len(row))), list(range(1, len(row) + 1)))
    return len(numbers) > 1 and not _count(numbers)


def _count(numbers: Sequence[float]) -> bool:
    """Return whether the numbers are integers that increase, or that go up or down in nearly equal steps."""
    steps = [after - before for before, after in pairwise(numbers)]
    if min(steps) > 0 and all(number.is_integer() for number in numbers):
        return True
    return min(steps) * max(steps) > 0 and max(map(abs, steps)) <= _NEARLY * min(map(abs, steps))


def _names(rows: Sequence[list[str]]) -> list[str]:
    """The names in the first row, and generated names for columns without one.

    If all other rows have one cell more, either R wrote row names without a name for their column, or each row ends
    with a separator.
    """
    names = [name.strip() for name in rows[0]]
    others = _filled(rows[1:])
    if others and all(len(row) == len(names) + 1 for row in others):
        is_separator = not any(row[-1].strip() for row in others)
        names = [*names, ""] if is_separator else ["", *names]
    return [name or f"column_{i}" for i, name in enumerate(names)]
