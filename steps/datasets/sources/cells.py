"""Lossless type inference for columns of text: a cell that a number cannot represent exactly keeps its column text."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

from steps.datasets.tabular.words import MISSING

_SAMPLE = 1000  # rows tried before a whole column
_LONGEST_INT64 = 18  # digits that always fit
# A date, then a time, then a time with its zone; in microseconds, or in nanoseconds if microseconds lose digits.
_TIMES = (pa.date32(), *(pa.timestamp(unit, zone) for unit in ("us", "ns") for zone in (None, "UTC")))


def trimmed(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The text without surrounding spaces; null if it marks a missing value."""
    text = pc.utf8_trim_whitespace(cells)
    is_missing = pc.is_in(text, value_set=pa.array(sorted(MISSING), text.type))
    return pc.if_else(is_missing, pa.scalar(None, text.type), text)


def typed(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as integers, numbers, booleans, dates or times if every cell is one; else unchanged.

    Codes keep a column text: leading zeros (01234), more digits than a 64-bit integer holds, or the plus of a telephone
    number.

    Args:
        text: Trimmed, with nulls.
    """
    if text.null_count == len(text):
        return text
    for type_ in (pa.int64(), pa.float64()):
        if (numbers := _cast(_without_plus(text), type_)) is not None:
            return text if _are_codes(text, numbers) else numbers
    for type_ in (pa.bool_(), *_TIMES):
        if (values := _cast(text, type_)) is not None:
            return values
    return text


def trimmed_table(table: pa.Table) -> pa.Table:
    """`trimmed` for all columns of text, column by column on all processors."""
    return _each(trimmed, table)


def typed_table(table: pa.Table) -> pa.Table:
    """`typed` for all columns of text, column by column on all processors."""
    return _each(typed, table)


def _each(change: Callable[[pa.ChunkedArray], pa.ChunkedArray], table: pa.Table) -> pa.Table:
    def changed(column: pa.ChunkedArray) -> pa.ChunkedArray:
        return change(column) if pa.types.is_string(column.type) else column

    with ThreadPoolExecutor(pa.cpu_count()) as pool:
        return pa.table(list(pool.map(changed, table.columns)), names=table.column_names)


def _cast(text: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray | None:
    """The column cast to another type; None if a cell cannot be cast."""
    try:
        pc.cast(text.slice(0, _SAMPLE), type_)  # most wrong types already fail here, cheaply
        return pc.cast(text, type_)
    except pa.ArrowInvalid:
        return None


def _without_plus(text: pa.ChunkedArray) -> pa.ChunkedArray:
    if not _any(pc.starts_with(text, "+")):
        return text
    return pc.replace_substring_regex(text, r"^\+([0-9.])", r"\1")


def _are_codes(text: pa.ChunkedArray, numbers: pa.ChunkedArray) -> bool:
    """Return whether two different cells could become the same number, or a cell could change its value."""
    starts = pc.or_(pc.starts_with(text, "0"), pc.or_(pc.starts_with(text, "-0"), pc.starts_with(text, "+")))
    if _any(starts) and _any(pc.match_substring_regex(text.filter(starts), r"^([+-]?0[0-9xX]|\+[0-9]{7,}$)")):
        return True
    if not pa.types.is_floating(numbers.type) or pc.max(pc.abs(numbers)).as_py() < 10**_LONGEST_INT64:
        return False
    return _any(pc.match_substring_regex(text, rf"^[+-]?[0-9]{{{_LONGEST_INT64 + 1},}}$"))


def _any(mask: pa.ChunkedArray) -> bool:
    return pc.any(mask).as_py() is True
