"""A measure of predictions: its name, which direction is better, its value and its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

Direction = Literal["maximize", "minimize"]


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % confidence interval; the limits are None if no interval is known."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Metric:
    """A measure of a model's outputs against the targets.

    Attributes:
        name: scikit-learn's scorer name without `neg_`; `val_<name>` and `test_<name>` on runs.
        label: Name in texts.
        direction: Which end is better.
        value: (targets, outputs) -> value.
        interval: (targets, outputs) -> 95 % interval; None if none is computed.
        tolerance: Difference that is too small to pay for; `select=auto` takes the cheapest trial within it.
        is_share: Whether the value is a proportion in [0, 1], shown in percent.
    """

    name: str
    label: str
    direction: Direction
    value: Callable[[np.ndarray, np.ndarray], float]
    interval: Callable[[np.ndarray, np.ndarray], tuple[float, float]] | None = None
    tolerance: float = 0.0
    is_share: bool = False

    def measure(self, targets: np.ndarray, outputs: np.ndarray) -> Interval:
        low, high = self.interval(targets, outputs) if self.interval else (None, None)
        return Interval(self.value(targets, outputs), low, high)

    def text(self, value: float) -> str:
        """The value with its unit, for texts."""
        return f"{100 * value:.2f} %" if self.is_share else f"{value:.4g}"

    def short_text(self, score: Interval) -> str:
        """The value with its unit and the interval without, for tables."""
        if score.low is None or score.high is None:
            return self.text(score.value)
        low, high = (f"{100 * end:.2f}" if self.is_share else f"{end:.4g}" for end in (score.low, score.high))
        return f"{self.text(score.value)} ({low}–{high})"

    def difference_text(self, difference: float) -> str:
        """The size of a difference between two values, with its unit."""
        return f"{100 * abs(difference):.2f} points" if self.is_share else f"{abs(difference):.4g}"

    def is_better(self, first: float, second: float) -> bool:
        return first > second if self.direction == "maximize" else first < second


def as_metrics(scores: Mapping[str, Interval], prefix: str) -> dict[str, float]:
    """`<prefix><metric>`, with `_low` and `_high` if there is an interval: the names on runs."""
    found = {}
    for name, score in scores.items():
        found[f"{prefix}{name}"] = score.value
        if score.low is not None and score.high is not None:
            found |= {f"{prefix}{name}_low": score.low, f"{prefix}{name}_high": score.high}
    return found
