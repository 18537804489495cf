"""Weights as arrays: their digest, and how far two sets are apart."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np


def weights_digest(weights: Sequence[np.ndarray]) -> str:
    """SHA-256 over dtype, shape and content of each array, in order."""
    sha = hashlib.sha256()
    for array in weights:
        sha.update(f"{array.dtype.str}{array.shape}".encode())
        sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()


def largest_difference(ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]) -> float:
    """Largest absolute difference between two sets of weights; infinite if their shapes differ."""
    if [a.shape for a in ours] != [b.shape for b in theirs]:
        return float("inf")
    return max(float(np.abs(a.astype(np.float64) - b).max(initial=0)) for a, b in zip(ours, theirs, strict=True))
