"""Metrics of a classifier, from its probabilities (n, n_classes) and the targets (n,), which are class numbers.

NumPy alone: scikit-learn takes a second to import, and a study needs these after each epoch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from steps.tasks import intervals
from steps.tasks.classification import counts as _counts
from steps.tasks.classification import ranking
from steps.tasks.classification.calibration import calibration_error
from steps.tasks.classification.counts import confusion
from steps.tasks.metric import Metric

Ends = tuple[float, float]


def accuracy(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """Share of the rows whose most probable class is the true one."""
    return float((probabilities.argmax(1) == targets).sum() / len(targets))


def log_losses(targets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(n,) float64 negative log-likelihoods in nats; a probability of 0 counts as the smallest float32 above it."""
    exact = probabilities.astype(np.float64)
    chosen = exact[np.arange(len(targets)), targets] / exact.sum(1)
    return np.asarray(-np.log(np.maximum(chosen, np.finfo(np.float32).smallest_subnormal)))


def log_loss(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean negative logarithm of the probability of the true class, in nats."""
    return float(log_losses(targets, probabilities).mean())


def lowest_recall(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """Recall of the class that is recognized worst, of those that occur."""
    return float(np.nanmin(_counts.recalls(confusion(targets, probabilities))))


def worst_mistakes(targets: np.ndarray, probabilities: np.ndarray, predicted: np.ndarray, n: int) -> np.ndarray:
    """Indices of at most `n` of the wrong (n,) predicted classes, the most probable first."""
    wrong = np.flatnonzero(predicted != targets)
    return wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")][:n]


def _accuracy_interval(targets: np.ndarray, probabilities: np.ndarray) -> Ends | None:
    return intervals.of_proportion(int((probabilities.argmax(1) == targets).sum()), len(targets))


def _log_loss_interval(targets: np.ndarray, probabilities: np.ndarray) -> Ends | None:
    return intervals.of_mean(log_losses(targets, probabilities))


def _lowest_recall_interval(targets: np.ndarray, probabilities: np.ndarray) -> Ends | None:
    """That of the recall of the worst class, as if it had been chosen before."""
    counts = confusion(targets, probabilities)
    worst = int(np.nanargmin(_counts.recalls(counts)))
    return intervals.of_proportion(int(counts[worst, worst]), int(counts[worst].sum()))


def _of_counts(
    name: str, label: str, score: Callable[[np.ndarray], np.ndarray], least: float = 0.0, *, is_share: bool = True
) -> Metric:
    """A metric that depends on the confusion matrix alone, in [least, 1], with an interval by the bootstrap."""

    def value(targets: np.ndarray, probabilities: np.ndarray) -> float:
        return float(score(confusion(targets, probabilities)))

    def interval(targets: np.ndarray, probabilities: np.ndarray) -> Ends | None:
        counts = confusion(targets, probabilities)
        return intervals.by_bootstrap(lambda copies: score(copies.reshape(-1, *counts.shape)), counts.ravel())

    return Metric(name, label, "maximize", value, interval, is_share=is_share, bounds=(least, 1))


ACCURACY = Metric(
    "accuracy", "accuracy", "maximize", accuracy, _accuracy_interval, tolerance=0.002, is_share=True, bounds=(0, 1)
)
LOG_LOSS = Metric("log_loss", "log loss", "minimize", log_loss, _log_loss_interval, bounds=(0, math.inf))
_FOR_ALL = (
    _of_counts("balanced_accuracy", "balanced accuracy", _counts.balanced_accuracy),
    _of_counts("f1_macro", "macro F1", _counts.f1_macro),
    _of_counts("matthews_corrcoef", "Matthews correlation", _counts.matthews_corrcoef, -1.0, is_share=False),
    # Neither has an interval by the bootstrap: absolute gaps grow in resamples, and the area has no simple formula.
    Metric("calibration_error", "calibration error", "minimize", calibration_error, is_share=True, bounds=(0, 1)),
)


def _by_name(*metrics: Metric) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


SEVERAL_CLASSES: Mapping[str, Metric] = _by_name(
    ACCURACY,
    LOG_LOSS,
    Metric("roc_auc", "ROC AUC (mean of one against the rest)", "maximize", ranking.macro_roc_auc, bounds=(0, 1)),
    Metric(
        "recall", "lowest recall of a class", "maximize", lowest_recall, _lowest_recall_interval, is_share=True,
        bounds=(0, 1),
    ),
    *_FOR_ALL,
)  # fmt: skip


@cache
def roc_auc_of(positive: int) -> Metric:
    """The area under the ROC curve of one of two classes."""

    def value(targets: np.ndarray, probabilities: np.ndarray) -> float:
        return ranking.roc_auc(targets == positive, probabilities[:, positive])

    def interval(targets: np.ndarray, probabilities: np.ndarray) -> Ends | None:
        """None also for a constant, which ranks nothing."""
        if np.ptp(probabilities[:, positive]) == 0:
            return None
        n_positive = int((targets == positive).sum())
        return ranking.roc_auc_interval(value(targets, probabilities), n_positive, len(targets) - n_positive)

    return Metric("roc_auc", "ROC AUC", "maximize", value, interval, tolerance=0.002, bounds=(0, 1))


@cache
def two_classes(positive: int) -> Mapping[str, Metric]:
    """The metrics of two classes, of which this one is asked for."""

    def average_precision(targets: np.ndarray, probabilities: np.ndarray) -> float:
        return ranking.average_precision(targets == positive, probabilities[:, positive])

    def average_precision_interval(targets: np.ndarray, probabilities: np.ndarray) -> Ends | None:
        area = average_precision(targets, probabilities)
        return ranking.average_precision_interval(area, int((targets == positive).sum()))

    def recall(targets: np.ndarray, probabilities: np.ndarray) -> float:
        return float(np.nan_to_num(_counts.recalls(confusion(targets, probabilities))[positive]))

    def recall_interval(targets: np.ndarray, probabilities: np.ndarray) -> Ends | None:
        counts = confusion(targets, probabilities)
        return intervals.of_proportion(int(counts[positive, positive]), int(counts[positive].sum()))

    def precision(targets: np.ndarray, probabilities: np.ndarray) -> float:
        return float(_counts.precisions(confusion(targets, probabilities))[positive])

    def precision_interval(targets: np.ndarray, probabilities: np.ndarray) -> Ends | None:
        counts = confusion(targets, probabilities)
        return intervals.of_proportion(int(counts[positive, positive]), int(counts[:, positive].sum()))

    def f1(counts: np.ndarray) -> np.ndarray:
        return np.asarray(_counts.f1(counts)[..., positive])

    return _by_name(
        ACCURACY,
        LOG_LOSS,
        roc_auc_of(positive),
        Metric(
            "average_precision", "average precision", "maximize", average_precision, average_precision_interval,
            bounds=(0, 1),
        ),
        _of_counts("f1", "F1", f1),
        Metric("recall", "recall", "maximize", recall, recall_interval, is_share=True, bounds=(0, 1)),
        Metric("precision", "precision", "maximize", precision, precision_interval, is_share=True, bounds=(0, 1)),
        *_FOR_ALL,
    )  # fmt: skip
