"""What a model has to pass before it is approved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_TOLERANCE = 1e-6  # on a CPU the two are equal to the bit; a GPU may sum in another order


@dataclass(frozen=True)
class Check:
    """One check: its name in snake case, whether it is passed, and what was found, for people."""

    name: str
    passed: bool
    detail: str


def check_accuracy(accuracy: float, least: float) -> Check:
    sign = "at least" if accuracy >= least else "below"
    return Check("min_accuracy", accuracy >= least, f"test accuracy {accuracy:.4f} is {sign} min_accuracy {least:g}")


def check_baseline(name: str, accuracy: float, baseline: float) -> Check:
    """Whether (both in [0, 1]) the accuracy is above that of a baseline."""
    words = f"the {name.replace('_', ' ')} ({baseline:.4f})"
    points = f"{100 * abs(accuracy - baseline):.2f} points"
    detail = f"{points} {'above' if accuracy > baseline else 'below'} {words}"
    return Check(f"beats_{name}", accuracy > baseline, detail if accuracy != baseline else f"no better than {words}")


def check_recall(recalls: np.ndarray, class_names: Sequence[str], least: float) -> Check:
    """Whether no class has a recall under `least`; both in [0, 1]."""
    worst = int(recalls.argmin())
    sign = "at least" if recalls[worst] >= least else "below"
    return Check(
        "min_recall",
        bool(recalls[worst] >= least),
        f"lowest recall {recalls[worst]:.4f} (class {class_names[worst]}) is {sign} min_recall {least:g}",
    )


def check_predictions(trained: np.ndarray, reloaded: np.ndarray) -> Check:
    """Whether the registered artifact gives the (n, n_classes) probabilities of the model that was trained."""
    if trained.shape != reloaded.shape:
        return Check("same_predictions", False, f"the reloaded model gives {reloaded.shape}, not {trained.shape}")
    difference = float(np.abs(trained - reloaded).max())
    return Check(
        "same_predictions",
        difference <= _TOLERANCE,  # not so where it is not a number
        f"the reloaded model's probabilities differ from the trained one's by at most {difference:.1g}",
    )
