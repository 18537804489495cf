"""Calibration of a classifier: agreement of its probabilities with the share of correct predictions; temperature."""

from __future__ import annotations

import numpy as np

BINS = 15
TEMPERATURE = "temperature"  # among the measures of a trial, and a metric of the evaluate run
_PRIOR = 0.5  # standard deviation of log(temperature)


def calibration_bins(targets: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean confidence, accuracy and share of rows of each bin of equal width that is not empty."""
    confidence = probabilities.max(1).astype(np.float64)
    right = probabilities.argmax(1) == targets
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    count = np.bincount(bins, minlength=BINS)
    filled = count > 0
    mean_confidence = np.bincount(bins, confidence, BINS)[filled] / count[filled]
    share_right = np.bincount(bins, right, BINS)[filled] / count[filled]
    return mean_confidence, share_right, count[filled] / len(targets)


def calibration_error(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean gap between confidence and accuracy over 15 bins of equal width (Guo et al., 2017), in [0, 1]."""
    confidence, share_right, share = calibration_bins(targets, probabilities)
    return float((np.abs(confidence - share_right) * share).sum())


def fitted_temperature(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """The temperature with the least log loss on rows that the model did not see (Guo et al., 2017), in (0.1, 10).

    Its logarithm has a normal prior around 0: a few rows that are all right would make any model infinitely sure.

    Args:
        targets: (n,) class numbers.
        probabilities: (n, n_classes).
    """
    from scipy.optimize import minimize_scalar  # these take a moment
    from scipy.special import log_softmax

    logits, rows = _logits(probabilities), np.arange(len(targets))

    def loss(log_temperature: float) -> float:
        likelihood = log_softmax(logits * np.exp(-log_temperature), axis=1)[rows, targets].sum()
        return float(0.5 * (log_temperature / _PRIOR) ** 2 - likelihood)

    bound = float(np.log(10))
    return float(np.exp(minimize_scalar(loss, bounds=(-bound, bound), method="bounded").x))


def with_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """(n, n_classes) probabilities whose logits are divided by a temperature; the order of the classes stays."""
    from scipy.special import softmax

    scaled: np.ndarray = softmax(_logits(probabilities) / temperature, axis=1)
    return scaled


def _logits(probabilities: np.ndarray) -> np.ndarray:
    logits: np.ndarray = np.log(np.maximum(probabilities.astype(np.float64), np.finfo(np.float32).tiny))
    return logits
