"""Rows of features: which ones are equal, and samples of them."""

from __future__ import annotations

import numpy as np

from steps.datasets.copies import mixed_rows


def row_hashes(features: np.ndarray) -> np.ndarray:
    """(n,) uint64, equal for equal rows of (n, n_features) features."""
    if features.dtype == np.uint8:  # pixels: eight of them at a time
        padded = np.pad(features, ((0, 0), (0, -features.shape[1] % 8)))
        return mixed_rows(padded.view(np.uint64).T)
    return mixed_rows((np.ascontiguousarray(column) + np.float32(0)).view(np.uint32) for column in features.T)


def with_targets(hashes: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(n,) uint64, equal for equal hashes and targets."""
    return mixed_rows([hashes, targets.view(np.uint32)])


def first_of_each(hashes: np.ndarray) -> np.ndarray:
    """Ascending positions of the first row of each hash."""
    return np.sort(np.unique(hashes, return_index=True)[1])


def sampled(numbers: np.ndarray, most: int) -> np.ndarray:
    """At most so many of ascending numbers, always the same ones, still ascending."""
    if len(numbers) <= most:
        return numbers
    return np.sort(np.random.default_rng(0).choice(numbers, most, replace=False))
