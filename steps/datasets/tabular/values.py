"""Values of a column by its kind, and invalid cells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from reprlib import repr as shortened
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .arrays import Cells, as_array
from .dates import instants
from .errors import SchemaError
from .schema import Column
from .words import MISSING, Levels, truth, whole, words

LARGEST = float(np.finfo(np.float32).max)  # largest number: encoded rows are float32
ENGLISH, CONTINENTAL = "1,234.5", "1.234,5"  # formats of numbers
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)
_GROUPS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_CLEAR = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d*|[+-]?\d{1,3}(,\d{3}){2,}")  # never a decimal comma
_UNIT = re.compile(r"([+-]?) ?[$€£¥]? ?(.*?) ?[$€£¥%]?")
_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d*)?")


@dataclass(frozen=True)
class Fault:
    """A cell that is not a value of its column.

    Attributes:
        column: Name of the column.
        row: Number of the row, from 0.
        reason: `must be …, got …`.
    """

    column: str
    row: int
    reason: str

    def __str__(self) -> str:
        return f"column {self.column!r} {self.reason} in row {self.row + 1}"


def canonical(column: Column, values: Any, faults: list[Fault] | None = None) -> pa.Array:
    """The values of a column as double, bool, string (a level, or unchanged) or timestamp in UTC; null if missing.

    Args:
        values: A pandas, NumPy or Arrow column, or a list.
        faults: Collects invalid cells, which become null; without it, the first one raises.

    Raises:
        SchemaError: A cell is invalid; the message names the first.
    """
    array = as_array(values, column.name)
    if column.kind == "category":
        positions, found = words(array)
        if column.levels and Levels(column.levels).are_codes:
            found = [None if word is None else whole(word) for word in found]
        return pa.array(np.array([*found, None], object)[positions], pa.string())
    if column.kind == "date":
        dates = read_dates(column, array, faults)
        return pa.array(dates, pa.timestamp("us"), from_pandas=True).cast(pa.timestamp("us", "UTC"))
    if column.kind == "boolean":
        truths = read_booleans(array)
        return pa.array(truths, pa.bool_(), mask=np.isnan(truths))
    numbers = read_numbers(column, array, faults)
    return pa.array(numbers, pa.float64(), mask=np.isnan(numbers))


def read_numbers(column: Column, cells: Cells, faults: list[Fault] | None = None) -> np.ndarray:
    """(n,) float64, NaN for a missing number and for a fault."""
    if isinstance(cells, list) and all(map(_is_plain, cells)):
        numbers, wrong = np.array(cells, float), np.zeros(len(cells), bool)
    else:
        numbers, wrong = numbers_of(as_array(cells, column.name), column.format)
    wrong |= np.abs(numbers) > LARGEST
    if wrong.any():
        report(column.name, cells, wrong, f"must be a number within ±{LARGEST:.1g}", faults)
        numbers = np.where(wrong, np.nan, numbers)
    return numbers


def _is_plain(value: Any) -> bool:
    return type(value) is float or (type(value) is int and abs(value) < 1 << 53)


def numbers_of(array: pa.Array, written: str = "") -> tuple[np.ndarray, np.ndarray]:
    """(n,) float64 numbers, NaN if there is none, and (n,) bool mask of cells that are neither numbers nor missing."""
    kind = array.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return numbers, np.zeros(len(numbers), bool)
    if pa.types.is_boolean(kind):
        return array.cast(pa.uint8()).cast(pa.float64()).to_numpy(zero_copy_only=False), np.zeros(len(array), bool)
    if not written and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        try:  # fast path, without a look at each cell
            return _cast(array), np.zeros(len(array), bool)
        except pa.ArrowInvalid:
            pass
    positions, found = words(array)
    parsed = np.array([*(parse_number(word, written) for word in found), np.nan], float)
    wrong = np.array([*(word is not None for word in found), False], bool) & np.isnan(parsed)
    return parsed[positions], wrong[positions]


def _cast(array: pa.Array) -> np.ndarray:
    trimmed = pc.utf8_trim_whitespace(array)
    missing = pc.is_in(trimmed, value_set=pa.array(sorted(MISSING), trimmed.type))
    present = pc.if_else(missing, pa.scalar(None, trimmed.type), trimmed)
    numbers: np.ndarray = present.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return numbers


def parse_number(word: str | None, written: str = "") -> float:
    """The number in a word, NaN if it is not one; a currency or percent sign beside it is ignored.

    In the plain format, commas are accepted only if they can be nothing but thousands separators.
    """
    if word is None:
        return np.nan
    word = bare(word)
    if written == CONTINENTAL and _COMMA.fullmatch(word):
        return float(word.replace(".", "").replace(",", "."))
    if (_GROUPS if written == ENGLISH else _CLEAR).fullmatch(word):
        return float(word.replace(",", ""))
    return float(word) if _PLAIN.fullmatch(word) else np.nan


def bare(word: str) -> str:
    """A word without currency and percent signs, with an ASCII minus."""
    match = _UNIT.fullmatch(word.replace("−", "-"))
    return f"{match[1]}{match[2]}" if match else word


def read_booleans(cells: Cells) -> np.ndarray:
    """(n,) float64: 0 for false, 1 for true in any spelling, NaN for missing and anything else."""
    positions, found = words(cells)
    truths = (truth(word) for word in found)
    numbers: np.ndarray = np.array([*(np.nan if is_ is None else is_ for is_ in truths), np.nan], float)[positions]
    return numbers


def read_dates(column: Column, cells: Cells, faults: list[Fault] | None = None) -> np.ndarray:
    """(n,) datetime64[us] in UTC, NaT for a missing one and for a fault."""
    array = as_array(cells, column.name)
    dates = instants(array, column.format)
    absent = np.isnat(dates)
    if absent.any():
        positions, found = words(array.filter(pa.array(absent)))
        present = np.array([*(word is not None for word in found), False], bool)[positions]
        if present.any():
            wrong = absent.copy()
            wrong[absent] = present
            report(column.name, array, wrong, f"must be a date as {column.example or '2026-01-31'!r}", faults)
    return dates


def report(name: str, cells: Cells, wrong: np.ndarray, rule: str, faults: list[Fault] | None) -> None:
    """Append a fault per invalid cell, or raise the first one."""
    for row in np.flatnonzero(wrong).tolist():
        value = cells[row] if isinstance(cells, list) else cells[row].as_py()
        fault = Fault(name, row, f"{rule}, got {shortened(value)}")
        if faults is None:
            raise SchemaError(str(fault))
        faults.append(fault)
