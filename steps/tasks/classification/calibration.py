"""Calibration of a classifier: agreement of its probabilities with the share of correct predictions."""

from __future__ import annotations

import numpy as np

BINS = 15


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
