"""Formatting of quantities for the terminal and the reports."""

from __future__ import annotations

from typing import Any

from steps.tasks.metric import Interval, Metric


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


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
