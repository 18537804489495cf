"""Numbers with a decimal comma, where their own column cannot tell: 1.200 beside a column with 1,5."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_NUMBER = r"^[+-]?([0-9]+|[0-9]{1,3}(\.[0-9]{3})+)(,[0-9]+)?$"
_GROUPED = r"^[+-]?[0-9]{1,3}(\.[0-9]{3})*$"
# Commas and points that no one writes so in English. A column of text that has one is read by `tabular` later, and so
# is its text in the rows that a model is given.
_TOLD = r",([0-9]{1,2}|[0-9]{4,})$|\.[0-9]{3}[,.]"
_EVIDENT = rf"{_TOLD}|^[+-]?(0|[0-9]{{4,}}),"


def with_points(table: pa.Table) -> tuple[pa.Table, tuple[str, ...]]:
    """Write numbers with a decimal point that only the rest of the table shows to have a decimal comma.

    Args:
        table: Trimmed text.

    Returns:
        The table, and the names of the columns that changed.
    """
    commas = [i for i, text in enumerate(table.columns) if _any(text, ",") and _all(text, _NUMBER)]
    if not any(_any(table.column(i), _EVIDENT) for i in commas):
        return table, ()
    grouped = [i for i, text in enumerate(table.columns) if _any(text, r"\.") and _all(text, _GROUPED)]
    changed = sorted({*grouped, *(i for i in commas if not _any(table.column(i), _TOLD))})
    for i in changed:
        text = pc.replace_substring(pc.replace_substring(table.column(i), ".", ""), ",", ".")
        table = table.set_column(i, table.column_names[i], text)
    return table, tuple(table.column_names[i] for i in changed)


def _any(text: pa.ChunkedArray, pattern: str) -> bool:
    return pc.any(pc.match_substring_regex(text, pattern)).as_py() is True


def _all(text: pa.ChunkedArray, pattern: str) -> bool:
    return pc.all(pc.match_substring_regex(text, pattern)).as_py() is True
