"""Split conformal prediction: intervals that hold a stated share of new targets, whatever the model."""

from __future__ import annotations

import math

import numpy as np

from steps.datasets.tabular.interval import LEVEL, PredictionInterval, Scale, on_scale
from steps.datasets.tabular.target import Target
from steps.tasks import intervals
from steps.tasks.metric import Interval, significant

COVERAGE = "coverage"  # `test_coverage` on runs


def fitted(target: Target, targets: np.ndarray, outputs: np.ndarray) -> PredictionInterval | None:
    """The interval from (n,) targets and (n, 1) outputs of a model that did not see these rows; None for too few rows.

    The half width is the k-th smallest absolute residual, k = ⌈(n + 1) · 0.9⌉: of rows that are exchangeable with
    these, at least 90 % lie within it in the mean (Papadopoulos et al., 2002; Lei et al., Journal of the American
    Statistical Association 113, 2018). Of a skewed target, whose errors often grow with its size, the scale is the
    logarithmic one if that has the better interval score on these rows.
    """
    rank = math.ceil((len(targets) + 1) * LEVEL)
    if rank > len(targets):
        return None
    least = 0.0 if target.low >= 0 else None
    scales: tuple[Scale, ...] = ("linear", "log") if target.is_skewed else ("linear",)
    found = [PredictionInterval(_half_width(targets, outputs[:, 0], scale, rank), scale, least) for scale in scales]
    return min(found, key=lambda interval: _score(interval, targets, outputs))


def _half_width(targets: np.ndarray, predicted: np.ndarray, scale: Scale, rank: int) -> float:
    errors = np.abs(on_scale(targets, scale) - on_scale(predicted, scale))
    return float(np.partition(errors, rank - 1)[rank - 1])


def _score(interval: PredictionInterval, targets: np.ndarray, outputs: np.ndarray) -> float:
    """Mean interval score, lower is better: width plus a fine per target outside (Gneiting & Raftery, 2007)."""
    low, high = interval.ends(outputs[:, 0])
    outside = np.maximum(low - targets, 0) + np.maximum(targets - high, 0)
    return float((high - low + 2 / (1 - interval.level) * outside).mean())


def mean_width(interval: PredictionInterval, outputs: np.ndarray) -> float:
    """Mean width of the intervals around (n, 1) outputs, in units of the target."""
    low, high = interval.ends(outputs[:, 0])
    return float((high - low).mean())


def coverage(interval: PredictionInterval, targets: np.ndarray, outputs: np.ndarray) -> Interval:
    """Share of (n,) targets that lie in their intervals around (n, 1) outputs, with its own 95 % interval."""
    low, high = interval.ends(outputs[:, 0])
    n_inside = int(((low <= targets) & (targets <= high)).sum())
    return Interval(n_inside / len(targets), *(intervals.of_proportion(n_inside, len(targets)) or (None, None)))


def coverage_note(interval: PredictionInterval, covered: Interval, outputs: np.ndarray) -> str:
    """Coverage and width of the intervals around (n, 1) outputs, in one sentence."""
    ends, is_short = "", False
    if covered.low is not None and covered.high is not None:
        ends = f" (95 % interval {100 * covered.low:.1f}–{100 * covered.high:.1f} %)"
        is_short = covered.high < interval.level
    return (
        f"The intervals low to high are made to hold {100 * interval.level:.0f} % of the targets; they hold "
        f"{100 * covered.value:.1f} % of those of the test rows{ends}{', so they are too narrow' * is_short}, and "
        f"their mean width is {significant(mean_width(interval, outputs))}"
    )
