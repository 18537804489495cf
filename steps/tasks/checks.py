"""Checks that a model has to pass before it is approved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steps.tasks.comparison import Comparison
from steps.tasks.metric import Metric

# Of outputs up to 1, and relative to larger ones: batches of another size sum in another order, on a GPU with a
# difference of 1e-6.
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Check:
    """One check: its name in snake case, whether it is passed, and a detail for people."""

    name: str
    passed: bool
    detail: str


def check_baseline(metric: Metric, name: str, value: float, baseline: float, *, may_be_chance: bool = False) -> Check:
    """Return whether the model beats a baseline in a metric, or both have its best possible value.

    Args:
        may_be_chance: Whether the baseline's lead, if it has one, can be chance; the model then passes.
    """
    words = f"the {name.replace('_', ' ')} ({metric.text(baseline)})"
    if value == baseline == metric.best:
        return Check(f"beats_{name}", True, f"as good as {words}: nothing can be better")
    is_better = metric.is_better(value, baseline)
    detail = f"{metric.difference_text(value - baseline)} {'better' if is_better else 'worse'} than {words}"
    detail = detail if value != baseline else f"no better than {words}"
    if not is_better and may_be_chance:
        return Check(f"beats_{name}", True, f"{detail}, which may be chance and is accepted")
    return Check(f"beats_{name}", is_better, detail)


def rival_note(metric: Metric, comparison: Comparison, alpha: float, sample: int | None = None) -> str:
    """A comparison in words of the model with scikit-learn's boosted trees: the better one, and which to take.

    It is no check: a model may be wanted for other reasons than the last point.

    Args:
        comparison: The model as challenger, the trees as champion.
        sample: Number of training rows that the trees were fitted on, unless it is all.
    """
    start = f"Fitted on a sample of {sample:,} of the rows" if sample else "On the same rows"
    rival = f"scikit-learn's HistGradientBoosting ({metric.label} {metric.text(comparison.champion)})"
    difference = metric.difference_text(comparison.challenger - comparison.champion)
    if comparison.challenger == comparison.champion:
        return f"{start}, {rival} is as good"
    leader = f"this model is better than {rival}" if comparison.challenger_leads else f"{rival} is better"
    found = f"{start}, {leader} by {difference}, which"
    test = f"({comparison.test}: p = {comparison.p_value:.3g})"
    if comparison.p_value >= alpha:
        return f"{found} may be chance {test}"
    return f"{found} is more than chance {test}: take {'this model' if comparison.challenger_leads else 'the trees'}"


def check_predictions(trained: np.ndarray, reloaded: np.ndarray) -> Check:
    """Return whether the registered artifact gives the (n, n_outputs) outputs of the model that was trained."""
    if trained.shape != reloaded.shape:
        return Check("same_predictions", False, f"the reloaded model gives {reloaded.shape}, not {trained.shape}")
    difference = float((np.abs(trained - reloaded) / np.maximum(1, np.abs(trained))).max())
    return Check(
        "same_predictions",
        difference <= _TOLERANCE,  # False for NaN
        f"the reloaded model's outputs differ from the trained one's by at most {difference:.1g}",
    )
