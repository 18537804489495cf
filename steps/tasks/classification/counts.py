"""Scores of a classifier from its confusion matrices (..., n_classes, n_classes): row = true, column = predicted."""

from __future__ import annotations

import numpy as np


def confusion(targets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(n_classes, n_classes) counts of (n,) class numbers and the most probable classes of (n, n_classes)."""
    return confusion_of(targets, probabilities.argmax(1), probabilities.shape[1])


def confusion_of(targets: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """(n_classes, n_classes) counts of (n,) true and (n,) predicted class numbers."""
    cells = np.asarray(targets, np.int64) * n_classes + predicted
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def right(counts: np.ndarray) -> np.ndarray:
    """(..., n_classes) rows of each class that are recognized."""
    return np.diagonal(counts, axis1=-2, axis2=-1)


def recalls(counts: np.ndarray) -> np.ndarray:
    """(..., n_classes) share of the rows of each class that are recognized; NaN for a class without a row."""
    with np.errstate(invalid="ignore"):
        return np.asarray(right(counts) / counts.sum(-1))


def balanced_accuracy(counts: np.ndarray) -> np.ndarray:
    """(...,) mean recall of the classes that occur."""
    found = recalls(counts)
    occur = ~np.isnan(found)
    return np.asarray(np.where(occur, found, 0).sum(-1) / np.maximum(occur.sum(-1), 1))


def precisions(counts: np.ndarray) -> np.ndarray:
    """(..., n_classes) share of the predictions of each class that are right; 0 for a class never predicted."""
    return np.asarray(right(counts) / np.maximum(counts.sum(-2), 1))


def f1(counts: np.ndarray) -> np.ndarray:
    """(..., n_classes) harmonic mean of precision and recall; 0 for a class that neither occurs nor is predicted."""
    return np.asarray(2 * right(counts) / np.maximum(counts.sum(-1) + counts.sum(-2), 1))


def f1_macro(counts: np.ndarray) -> np.ndarray:
    """(...,) mean F1 of all classes."""
    return np.asarray(f1(counts).mean(-1))


def matthews_corrcoef(counts: np.ndarray) -> np.ndarray:
    """(...,) correlation of true and predicted classes (Matthews, 1975; Gorodkin, 2004); 0 if one is constant."""
    exact = counts.astype(np.float64)
    n, true, predicted = exact.sum((-2, -1)), exact.sum(-1), exact.sum(-2)
    covariance = right(exact).sum(-1) * n - (true * predicted).sum(-1)
    spread = np.sqrt((n**2 - (true**2).sum(-1)) * (n**2 - (predicted**2).sum(-1)))
    return np.asarray(np.where(spread > 0, covariance / np.where(spread > 0, spread, 1), 0))
