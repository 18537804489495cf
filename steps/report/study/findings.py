"""Findings about the trials of a study: ranges that were too narrow, the cost, the savings by pruning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from optuna.distributions import FloatDistribution, IntDistribution

from steps.mlp.config import FRACTIONS
from steps.report.study.result import Row

TOP = 5
_NEAR = 0.05  # share of a range, in its own scale, that counts as its edge


@dataclass(frozen=True)
class RangeEdge:
    """A numeric hyperparameter whose best value lies at an end of its range.

    Attributes:
        limit: That end of the range.
        suggestion: Possible new end of the range.
        n_top, n_with: Number of top trials that also lie there, and number that have the hyperparameter.
    """

    name: str
    value: float
    end: Literal["low", "high"]
    limit: float
    suggestion: float
    n_top: int
    n_with: int


@dataclass(frozen=True)
class Cost:
    """Cost of a study: total seconds of its trials, and `busy`, the seconds in which at least one ran."""

    epochs: int
    epochs_saved: int
    seconds: float
    seconds_saved: float
    busy: float


def range_edges(top: Sequence[Row]) -> list[RangeEdge]:
    """The hyperparameters whose value in the first of the top trials lies at an end of its range.

    Ends that no value can exceed, such as a dropout of 0 or one layer, do not count.
    """
    found = []
    for name, distribution in top[0].distributions.items() if top else ():
        if not isinstance(distribution, IntDistribution | FloatDistribution) or distribution.single():
            continue
        value = top[0].hyperparameters[name]
        for end in ("low", "high"):
            suggestion = _beyond(name, distribution, end)
            if suggestion is not None and _is_near(distribution, value, end):
                others = [row for row in top if name in row.distributions]
                near = sum(_is_near(distribution, row.hyperparameters[name], end) for row in others)
                limit = getattr(distribution, end)
                found.append(RangeEdge(name, value, end, limit, suggestion, near, len(others)))
    return found


def cost(rows: Sequence[Row]) -> Cost:
    """The cost of the trials, and the estimated savings by pruning: epochs saved, at the median pace of all trials."""
    seconds = sum(row.end - row.start for row in rows)
    paces = [(row.end - row.start) / len(row.curve) for row in rows if row.curve]
    saved = sum(max(0, row.budget - len(row.curve)) for row in rows if row.state == "pruned")
    busy = until = 0.0
    for start, end in sorted((row.start, row.end) for row in rows):
        busy += max(0.0, end - max(start, until))
        until = max(until, end)
    epochs = sum(len(row.curve) for row in rows)
    return Cost(epochs, saved, seconds, saved * median(paces) if paces else 0.0, busy)


def trials_since_best(complete: Sequence[Row], sign: int) -> int:
    """Number of complete trials after the best one in the first objective; `sign` is -1 if larger is better."""
    best = min(range(len(complete)), key=lambda i: (sign * complete[i].values[0], i))
    return len(complete) - 1 - best


def _is_near(distribution: IntDistribution | FloatDistribution, value: float, end: str) -> bool:
    transform = math.log if distribution.log else float
    low, high = transform(distribution.low), transform(distribution.high)
    limit = low if end == "low" else high
    return abs(transform(value) - limit) <= _NEAR * (high - low)


def _beyond(name: str, distribution: IntDistribution | FloatDistribution, end: str) -> float | None:
    """A limit further out: three times as far on a logarithmic scale, else by half the range; None past what can be."""
    low, high = distribution.low, distribution.high
    if isinstance(distribution, IntDistribution):
        if end == "high":
            return 2 * high if distribution.log else high + max(distribution.step, round((high - low) / 2))
        smaller = low // 2 if distribution.log else low - max(distribution.step, round((high - low) / 2))
        return max(1, smaller) if low > 1 else None
    if distribution.log:
        return _rounded(3 * high if end == "high" else low / 3)
    if end == "low":
        return _rounded(max(0.0, low - (high - low) / 2)) if low > 0 else None
    wider = high + (high - low) / 2
    return _rounded(min(wider, (1 + high) / 2) if name in FRACTIONS else wider)


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")
