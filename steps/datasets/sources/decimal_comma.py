"""Numbers with a decimal comma: 1.234,5."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_NUMBER = r"^[+-]?([0-9]+|[0-9]{1,3}(\.[0-9]{3})+)(,[0-9]+)?([eE][+-]?[0-9]+)?$"
# A comma that no one writes between thousands: after a zero or many digits, before another number of digits than three.
_CERTAIN = r"^[+-]?(0|[0-9]{4,}),|,[0-9]{1,2}$|,[0-9]{4,}|,[0-9]+[eE]"
_GROUPED = r"^[+-]?[0-9]{1,3}(\.[0-9]{3})*$"


def with_points(table: pa.Table) -> tuple[pa.Table, tuple[str, ...]]:
    """Write the numbers of a table of text with a decimal point, if some of them certainly have a decimal comma.

    Args:
        table: Trimmed text.

    Returns:
        The table, and the names of the columns that changed.
    """
    commas = [i for i, text in enumerate(table.columns) if _any(text, ",") and _all(text, _NUMBER)]
    if not any(pc.any(pc.match_substring_regex(table.column(i), _CERTAIN)).as_py() for i in commas):
        return table, ()
    grouped = [i for i, text in enumerate(table.columns) if _any(text, ".") and _all(text, _GROUPED)]
    for i in {*commas, *grouped}:
        text = pc.replace_substring(pc.replace_substring(table.column(i), ".", ""), ",", ".")
        table = table.set_column(i, table.column_names[i], text)
    return table, tuple(table.column_names[i] for i in sorted({*commas, *grouped}))


def _any(text: pa.ChunkedArray, part: str) -> bool:
    return pc.any(pc.match_substring(text, part)).as_py() is True


def _all(text: pa.ChunkedArray, pattern: str) -> bool:
    return pc.all(pc.match_substring_regex(text, pattern)).as_py() is True
