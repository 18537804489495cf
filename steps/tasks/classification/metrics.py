"""Test metrics of a classifier, from its probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import classification_report, confusion_matrix, f1_score, log_loss

CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Metrics:
    """Accuracy in [0, 1] with its Wilson interval, log loss in nats, macro F1, expected calibration error."""

    test_accuracy: float
    test_accuracy_low: float
    test_accuracy_high: float
    test_log_loss: float
    test_macro_f1: float
    test_ece: float


def metrics(probabilities: np.ndarray, labels: np.ndarray) -> Metrics:
    """Metrics of (n, n_classes) probabilities against (n,) labels."""
    predicted = probabilities.argmax(1)
    n_right, n = int((predicted == labels).sum()), len(labels)
    low, high = wilson_interval(n_right, n)
    exact = probabilities.astype(np.float64)
    classes = np.arange(probabilities.shape[1])
    return Metrics(
        test_accuracy=n_right / n,
        test_accuracy_low=low,
        test_accuracy_high=high,
        test_log_loss=float(log_loss(labels, exact / exact.sum(1, keepdims=True), labels=classes)),
        test_macro_f1=float(f1_score(labels, predicted, labels=classes, average="macro", zero_division=0)),
        test_ece=expected_calibration_error(probabilities, labels),
    )


def wilson_interval(n_right: int, n: int) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson, 1927), both ends in [0, 1]."""
    interval = binomtest(n_right, n).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def calibration_bins(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean confidence, accuracy and share of samples of each bin of equal width that is not empty."""
    confidence = probabilities.max(1).astype(np.float64)
    right = probabilities.argmax(1) == labels
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    count = np.bincount(bins, minlength=CALIBRATION_BINS)
    filled = count > 0
    mean_confidence = np.bincount(bins, confidence, CALIBRATION_BINS)[filled] / count[filled]
    accuracy = np.bincount(bins, right, CALIBRATION_BINS)[filled] / count[filled]
    return mean_confidence, accuracy, count[filled] / len(labels)


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean gap between confidence and accuracy over 15 bins of equal width (Guo et al., 2017), in [0, 1]."""
    confidence, accuracy, share = calibration_bins(probabilities, labels)
    return float((np.abs(confidence - accuracy) * share).sum())


def mlflow_metrics(counts: np.ndarray, log_loss: float) -> dict[str, float]:
    """The metrics that MLflow's own classifier evaluation gives, by its names and with its weighted averages.

    Args:
        counts: (n_classes, n_classes) confusion matrix, row = true class.
        log_loss: Mean log loss in nats.
    """
    true, predicted, right = counts.sum(1), counts.sum(0), counts.diagonal()
    recall, precision = right / np.maximum(true, 1), right / np.maximum(predicted, 1)
    f1 = 2 * right / np.maximum(true + predicted, 1)
    return {
        "example_count": float(counts.sum()),
        "accuracy_score": float(right.sum() / counts.sum()),
        "recall_score": float(np.average(recall, weights=true)),
        "precision_score": float(np.average(precision, weights=true)),
        "f1_score": float(np.average(f1, weights=true)),
        "log_loss": log_loss,
    }


class StreamedMetrics:
    """`mlflow_metrics` of samples that come in chunks."""

    def __init__(self, n_classes: int) -> None:
        self._counts = np.zeros((n_classes, n_classes), np.int64)
        self._loss = 0.0

    def add(self, probabilities: np.ndarray, labels: np.ndarray) -> None:
        """Count (n, n_classes) probabilities of (n,) labels."""
        np.add.at(self._counts, (labels, probabilities.argmax(1)), 1)
        exact = probabilities.astype(np.float64)
        chosen = exact[np.arange(len(labels)), labels] / exact.sum(1)
        self._loss -= float(np.log(np.maximum(chosen, np.finfo(np.float64).eps)).sum())

    def result(self) -> dict[str, float]:
        """Of all chunks so far; empty before the first sample."""
        n = int(self._counts.sum())
        return mlflow_metrics(self._counts, self._loss / n) if n else {}


def recalls(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n_classes,) share of the samples of each class that are recognized; 1 for a class without a sample."""
    counts = confusion(probabilities, labels)
    total = counts.sum(1)
    return np.where(total > 0, counts.diagonal() / np.maximum(total, 1), 1.0)


def class_report(probabilities: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...]) -> str:
    """Precision, recall, F1 and support of each class, as a table in text."""
    return str(
        classification_report(
            labels, probabilities.argmax(1), labels=range(len(class_names)), target_names=class_names,
            digits=4, zero_division=0,
        )
    )  # fmt: skip


def confusion(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n_classes, n_classes) counts: row = true class, column = predicted class."""
    return np.asarray(confusion_matrix(labels, probabilities.argmax(1), labels=range(probabilities.shape[1])))


def worst_mistakes(probabilities: np.ndarray, labels: np.ndarray, n: int) -> np.ndarray:
    """Indices of at most `n` wrong predictions, the most confident first."""
    wrong = np.flatnonzero(probabilities.argmax(1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(1), kind="stable")][:n]
