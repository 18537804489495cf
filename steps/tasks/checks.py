"""Checks that a model has to pass before it is approved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steps.tasks.metric import Metric

_TOLERANCE = 1e-6  # on a CPU the two are equal to the bit; a GPU may sum in another order


@dataclass(frozen=True)
class Check:
    """One check: its name in snake case, whether it is passed, and a detail for people."""

    name: str
    passed: bool
    detail: str


def check_baseline(metric: Metric, name: str, value: float, baseline: float) -> Check:
    """Whether the model beats a baseline in a metric."""
    words = f"the {name.replace('_', ' ')} ({metric.text(baseline)})"
    passed = metric.is_better(value, baseline)
    detail = f"{metric.difference_text(value - baseline)} {'better' if passed else 'worse'} than {words}"
    return Check(f"beats_{name}", passed, detail if value != baseline else f"no better than {words}")


def check_predictions(trained: np.ndarray, reloaded: np.ndarray) -> Check:
    """Whether the registered artifact gives the (n, n_outputs) outputs of the model that was trained."""
    if trained.shape != reloaded.shape:
        return Check("same_predictions", False, f"the reloaded model gives {reloaded.shape}, not {trained.shape}")
    difference = float(np.abs(trained - reloaded).max())
    return Check(
        "same_predictions",
        difference <= _TOLERANCE,  # False for NaN
        f"the reloaded model's outputs differ from the trained one's by at most {difference:.1g}",
    )
