"""Formatting of quantities for the terminal and the reports."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from steps.datasets.tabular.schema import Kind
from steps.tasks.metric import Interval, Metric, significant

_DAY = 86_400.0  # in seconds


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def sentence(text: str) -> str:
    """A clause with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names, separated by commas; of many the first and the number of the others."""
    more = len(names) - most
    return ", ".join([*names[:most], *([f"and {more:,} more"] if more > 0 else [])])


def cell(text: str) -> str:
    """Text for a cell of a table in Markdown."""
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").split())


def shown(value: Any) -> str:
    """A hyperparameter."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def interval(score: Interval, metric: Metric, dash: str = " to ") -> str:
    """The ends of a known interval."""
    assert score.low is not None
    assert score.high is not None
    return f"{metric.text(score.low)}{dash}{metric.text(score.high)}"


def value_text(value: float, kind: Kind, span: float = math.inf) -> str:
    """A number or a date.

    Args:
        span: Range of the values; dates within two days get the time of day.
    """
    if kind == "date":
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M" if span < 2 * _DAY else "%Y-%m-%d")
    if abs(value) < 10_000:
        return f"{value:.6g}"  # 2010 may be a year
    return f"{value:,.6g}" if abs(value) < 1e6 else significant(value)
