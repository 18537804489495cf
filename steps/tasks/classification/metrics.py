"""Metrics of a classifier, from its probabilities (n, n_classes) and the targets (n,), which are class numbers.

NumPy alone: scikit-learn takes a second to import, and a study needs these after each epoch.
"""

from __future__ import annotations

import numpy as np

from steps.tasks.metric import Metric

CALIBRATION_BINS = 15


def accuracy(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """Share of the rows whose most probable class is the true one."""
    return float((probabilities.argmax(1) == targets).sum() / len(targets))


def log_loss(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean negative logarithm of the probability of the true class, in nats."""
    return float(_losses(targets, probabilities).mean())


def wilson_interval(n_right: int, n: int) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson, 1927), both ends in [0, 1]."""
    from scipy.stats import binomtest  # late: a study needs it at its end only

    interval = binomtest(n_right, n).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def confusion(targets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(n_classes, n_classes) counts: row = true class, column = predicted class."""
    n_classes = probabilities.shape[1]
    cells = np.asarray(targets, np.int64) * n_classes + probabilities.argmax(1)
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def recalls(targets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(n_classes,) share of the rows of each class that are recognized; 1 for a class without a row."""
    counts = confusion(targets, probabilities)
    total = counts.sum(1)
    return np.where(total > 0, counts.diagonal() / np.maximum(total, 1), 1.0)


def lowest_recall(targets: np.ndarray, probabilities: np.ndarray) -> float:
    return float(recalls(targets, probabilities).min())


def f1_macro(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean F1 of the classes that occur or are predicted; a class that does neither counts as 0."""
    return float(_f1(confusion(targets, probabilities)).mean())


def calibration_bins(targets: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean confidence, accuracy and share of rows of each bin of equal width that is not empty."""
    confidence = probabilities.max(1).astype(np.float64)
    right = probabilities.argmax(1) == targets
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    count = np.bincount(bins, minlength=CALIBRATION_BINS)
    filled = count > 0
    mean_confidence = np.bincount(bins, confidence, CALIBRATION_BINS)[filled] / count[filled]
    share_right = np.bincount(bins, right, CALIBRATION_BINS)[filled] / count[filled]
    return mean_confidence, share_right, count[filled] / len(targets)


def calibration_error(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean gap between confidence and accuracy over 15 bins of equal width (Guo et al., 2017), in [0, 1]."""
    confidence, share_right, share = calibration_bins(targets, probabilities)
    return float((np.abs(confidence - share_right) * share).sum())


def worst_mistakes(targets: np.ndarray, probabilities: np.ndarray, n: int) -> np.ndarray:
    """Indices of at most `n` wrong predictions, the most confident first."""
    wrong = np.flatnonzero(probabilities.argmax(1) != targets)
    return wrong[np.argsort(-probabilities[wrong].max(1), kind="stable")][:n]


def mlflow_metrics(counts: np.ndarray, log_loss: float) -> dict[str, float]:
    """The metrics of MLflow's own classifier evaluation, by its names and with its weighted averages.

    Args:
        counts: (n_classes, n_classes) confusion matrix, row = true class.
        log_loss: Mean log loss in nats.
    """
    true, predicted, right = counts.sum(1), counts.sum(0), counts.diagonal()
    recall, precision = right / np.maximum(true, 1), right / np.maximum(predicted, 1)
    return {
        "example_count": float(counts.sum()),
        "accuracy_score": float(right.sum() / counts.sum()),
        "recall_score": float(np.average(recall, weights=true)),
        "precision_score": float(np.average(precision, weights=true)),
        "f1_score": float(np.average(_f1(counts), weights=true)),
        "log_loss": log_loss,
    }


class StreamedMetrics:
    """`mlflow_metrics` of rows that come in chunks."""

    def __init__(self, n_classes: int) -> None:
        self._counts = np.zeros((n_classes, n_classes), np.int64)
        self._loss = 0.0

    def add(self, targets: np.ndarray, outputs: np.ndarray) -> None:
        """Count (n,) targets and (n, n_classes) probabilities."""
        self._counts += confusion(targets, outputs)
        self._loss += float(_losses(targets, outputs).sum())

    def result(self) -> dict[str, float]:
        """The metrics of all chunks so far; empty before the first row."""
        n = int(self._counts.sum())
        return mlflow_metrics(self._counts, self._loss / n) if n else {}

    def summary(self) -> str:
        return f"{ACCURACY.label} {self._counts.trace() / self._counts.sum():.4f}"


def _accuracy_interval(targets: np.ndarray, probabilities: np.ndarray) -> tuple[float, float]:
    return wilson_interval(int((probabilities.argmax(1) == targets).sum()), len(targets))


def _losses(targets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(n,) float64 negative log-likelihoods; a probability of 0 counts as the smallest float32 above it."""
    exact = probabilities.astype(np.float64)
    chosen = exact[np.arange(len(targets)), targets] / exact.sum(1)
    return np.asarray(-np.log(np.maximum(chosen, np.finfo(np.float32).smallest_subnormal)))


def _f1(counts: np.ndarray) -> np.ndarray:
    return np.asarray(2 * counts.diagonal() / np.maximum(counts.sum(1) + counts.sum(0), 1))


ACCURACY = Metric("accuracy", "accuracy", "maximize", accuracy, _accuracy_interval, tolerance=0.002, is_share=True)
LOG_LOSS = Metric("log_loss", "log loss", "minimize", log_loss)
METRICS = {
    metric.name: metric
    for metric in (
        ACCURACY,
        LOG_LOSS,
        Metric("f1_macro", "macro F1", "maximize", f1_macro, is_share=True),
        Metric("recall", "lowest recall of a class", "maximize", lowest_recall, is_share=True),
        Metric("calibration_error", "calibration error", "minimize", calibration_error, is_share=True),
    )
}
