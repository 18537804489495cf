"""Values of a column in a few words."""

from __future__ import annotations

from steps.datasets.tabular.distribution import Distribution
from steps.datasets.tabular.schema import Column, Kind
from steps.report.format import value_text

_LISTED = 4  # levels shown


def values_of(column: Column) -> str:
    """The levels or the range of a column."""
    if column.levels:
        listed = ", ".join(column.levels[:_LISTED])
        return listed if len(column.levels) <= _LISTED else f"{len(column.levels):,} levels: {listed}, …"
    if column.low is None or column.high is None:
        return ""
    return " to ".join(value_text(end, column.kind) for end in (column.low, column.high))


def ends_of(found: Distribution, kind: Kind) -> tuple[str, str]:
    """The ends of a histogram; ≤ or ≥ if its first or last bin has all rows beyond."""
    assert found.low is not None
    assert found.high is not None
    assert found.ends is not None
    first, last = (value_text(end, kind, found.high - found.low) for end in found.ends)
    return (f"≤ {first}" if found.low < found.ends[0] else first, f"≥ {last}" if found.high > found.ends[1] else last)


def percent(share: float) -> str:
    """A share in [0, 1] with two digits; a rare value is not 0 %, nor a frequent one 100 %."""
    points = 100 * share
    if 0 < points < 0.1:
        return "< 0.1 %"
    if 99.9 < points < 100:
        return "> 99.9 %"
    return f"{points:.1f} %" if 0 < points < 10 or 99 <= points < 100 else f"{points:.0f} %"
