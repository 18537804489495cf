"""Numbers with a decimal comma that only another column can reveal: 1.200 beside a column with 1,5."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_NUMBER = r"^[+-]?([0-9]+|[0-9]{1,3}(\.[0-9]{3})+)(,[0-9]+)?$"
_GROUPED = r"^[+-]?[0-9]{1,3}(\.[0-9]{3})*$"
# Commas and points that English never has in these places: such a column of text tells its format to `tabular`.
_TOLD = r",([0-9]{1,2}|[0-9]{4,})$|\.[0-9]{3}[,.]"
_EVIDENT = rf"{_TOLD}|^[+-]?(0|[0-9]{{4,}}),"


def with_certain_commas(table: pa.Table) -> tuple[pa.Table, tuple[str, ...]]:
    """Spell numbers with a decimal comma unambiguously, if another column shows that the file uses one.

    1.200 becomes 1.200,0 and 0,125 becomes 0,1250. They stay text: the format is part of a model's schema, so that the
    model reads 1.200 in the same way.

    Args:
        table: Trimmed text.

    Returns:
        The table, and the names of the changed columns.
    """
    if not has_decimal_commas(table):
        return table, ()
    commas = _with_commas(table)
    grouped = [i for i, text in enumerate(table.columns) if _any(text, r"\.") and _all(text, _GROUPED)]
    changed = sorted({*grouped, *(i for i in commas if not _any(table.column(i), _TOLD))})
    for i in changed:
        text = table.column(i)
        certain = pc.binary_join_element_wise(text, pc.if_else(pc.match_substring(text, ","), "0", ",0"), "")
        table = table.set_column(i, table.column_names[i], certain)
    return table, tuple(table.column_names[i] for i in changed)


def has_decimal_commas(table: pa.Table) -> bool:
    """Return whether a column of numbers has an unambiguous decimal comma; the cells are trimmed text."""
    return any(_any(table.column(i), _EVIDENT) for i in _with_commas(table))


def with_points(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers with a decimal comma as 1234.5; other cells unchanged."""
    plain = pc.replace_substring(pc.replace_substring(text, ".", ""), ",", ".")
    return pc.if_else(pc.match_substring_regex(text, _NUMBER), plain, text)


def _with_commas(table: pa.Table) -> list[int]:
    return [i for i, text in enumerate(table.columns) if _any(text, ",") and _all(text, _NUMBER)]


def _any(text: pa.ChunkedArray, pattern: str) -> bool:
    return pc.any(pc.match_substring_regex(text, pattern)).as_py() is True


def _all(text: pa.ChunkedArray, pattern: str) -> bool:
    return pc.all(pc.match_substring_regex(text, pattern)).as_py() is True
