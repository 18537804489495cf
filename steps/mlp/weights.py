"""Comparison of weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def largest_difference(ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]) -> float:
    """Largest absolute difference between two sets of weights; infinite if their shapes differ."""
    if [a.shape for a in ours] != [b.shape for b in theirs]:
        return float("inf")
    return max(float(np.abs(a.astype(np.float64) - b).max(initial=0)) for a, b in zip(ours, theirs, strict=True))
