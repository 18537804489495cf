"""The values of a column in a few words."""

from __future__ import annotations

from datetime import UTC, datetime

from steps.datasets.tabular.schema import Column

_LISTED = 4  # levels shown


def values_of(column: Column) -> str:
    """The levels or the range of a column."""
    if column.levels:
        listed = ", ".join(column.levels[:_LISTED])
        return listed if len(column.levels) <= _LISTED else f"{len(column.levels):,} levels: {listed}, …"
    if column.low is None or column.high is None:
        return ""
    ends = (column.low, column.high)
    if column.kind == "date":
        return " to ".join(datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%d") for end in ends)
    return " to ".join(map(_number, ends))


def _number(value: float) -> str:
    """Six significant digits, with commas from 10,000 on: 2010 may be a year."""
    return f"{value:.6g}" if abs(value) < 10_000 else f"{value:,.6g}"
