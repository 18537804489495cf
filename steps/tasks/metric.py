"""A measure of predictions: its name, which direction is better, its value and its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Direction = Literal["maximize", "minimize"]
_Z = 1.96  # of a 95 % interval
_DIGITS = 4  # that are shown of a quantity with a unit


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
        interval: (targets, outputs) -> 95 % interval, or None if these rows have none; None if there is no method.
        tolerance: Difference that is too small to pay for, of a metric with a unit as a share of the best value;
            `select=auto` takes the cheapest trial within it.
        is_share: Whether the value is a proportion, shown in percent.
        has_unit: Whether the value is in units of the target: shown with four significant digits.
        bounds: The least and the largest value that it can have.
    """

    name: str
    label: str
    direction: Direction
    value: Callable[[np.ndarray, np.ndarray], float]
    interval: Callable[[np.ndarray, np.ndarray], tuple[float, float] | None] | None = None
    tolerance: float = 0.0
    is_share: bool = False
    has_unit: bool = False
    bounds: tuple[float, float] = (-math.inf, math.inf)

    def measure(self, targets: np.ndarray, outputs: np.ndarray) -> Interval:
        ends = self.interval(targets, outputs) if self.interval else None
        return Interval(self.value(targets, outputs), *(ends or (None, None)))

    @property
    def title(self) -> str:
        """The label at the beginning of a sentence."""
        return f"{self.label[0].upper()}{self.label[1:]}"

    def number(self, value: float) -> str:
        """The bare value, as on runs."""
        return significant(value) if self.has_unit else f"{value:.4f}"

    def text(self, value: float) -> str:
        """The value for texts, a share in percent."""
        return f"{100 * value:.2f} %" if self.is_share else self.number(value)

    def short_text(self, score: Interval) -> str:
        """The value and its interval, for tables."""
        if score.low is None or score.high is None:
            return self.text(score.value)
        low, high = (self.text(end).removesuffix(" %") for end in (score.low, score.high))
        return f"{self.text(score.value)} ({low}–{high})"

    def difference_text(self, difference: float) -> str:
        """The size of a difference between two values."""
        return f"{100 * abs(difference):.2f} points" if self.is_share else self.number(abs(difference))

    @property
    def bounds_text(self) -> str:
        low, high = self.bounds
        if math.isfinite(high - low):
            return f"from {low:g} to {high:g}"
        return f"of at most {high:g}" if math.isfinite(high) else f"of at least {low:g}"

    @property
    def best(self) -> float:
        """The best value that it can have."""
        return self.bounds[1] if self.direction == "maximize" else self.bounds[0]

    def is_better(self, first: float, second: float) -> bool:
        return first > second if self.direction == "maximize" else first < second


def mean_of(scores: Sequence[Interval]) -> Interval:
    """Mean of at least one score, on rows of their own, with its interval if all have one (Zou & Donner, 2008)."""
    n, value = len(scores), sum(score.value for score in scores) / len(scores)
    lows = [score.value - score.low for score in scores if score.low is not None]
    highs = [score.high - score.value for score in scores if score.high is not None]
    if len(lows) < n or len(highs) < n:
        return Interval(value)
    return Interval(value, value - math.hypot(*lows) / n, value + math.hypot(*highs) / n)


def is_noise(first: Interval, second: Interval) -> bool:
    """Return whether two values cannot be told apart, also because an interval is unknown.

    The interval of their difference is made of the intervals of both (Zou & Donner, Statistics in Medicine 27, 2008),
    taken as independent. Two models are judged on the same rows and make partly the same mistakes, so a difference
    can be real and still be called noise, hardly the other way round.
    """
    distance = _distance(first, second)
    return distance is None or distance <= 1


def p_value_of(first: Interval, second: Interval) -> float | None:
    """Two-sided p-value of equal values on independent rows; None if an interval is unknown.

    The test is that of `is_noise` at other levels: the limits of each interval are taken for 1.96 standard errors away.
    """
    distance = _distance(first, second)
    return None if distance is None else math.erfc(_Z * distance / math.sqrt(2))


def _distance(first: Interval, second: Interval) -> float | None:
    """The difference of two values over the reach of its 95 % interval; None if that is unknown."""
    larger, smaller = (first, second) if first.value > second.value else (second, first)
    if larger.low is None or smaller.high is None:
        return None
    reach = math.hypot(larger.value - larger.low, smaller.high - smaller.value)
    difference = larger.value - smaller.value
    return difference / reach if reach else math.inf if difference else 0.0


def significant(value: float) -> str:
    """A quantity with four significant digits, or with all digits before the point."""
    size = abs(value)
    if size == 0 or not 1e-4 <= size < 1e15:
        return f"{value:.{_DIGITS}g}"
    return f"{value:,.{max(0, _DIGITS - 1 - math.floor(math.log10(size)))}f}"


def as_metrics(scores: Mapping[str, Interval], prefix: str) -> dict[str, float]:
    """`<prefix><metric>`, with `_low` and `_high` if there is an interval: the names on runs."""
    found = {}
    for name, score in scores.items():
        found[f"{prefix}{name}"] = score.value
        if score.low is not None and score.high is not None:
            found |= {f"{prefix}{name}_low": score.low, f"{prefix}{name}_high": score.high}
    return found
