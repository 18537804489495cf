"""Interfaces of small tables, and rows of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from steps.datasets.interface import Interface
from steps.datasets.tabular.target import Target

NUMBERS = Interface(Target("classification", class_names=("a", "b", "c")), 40, np.dtype("float32"), 1.0, None)
CATEGORIES = replace(NUMBERS, level_counts=(4, 3), numbers=(0, 2, 3, 30))
PRICES = replace(
    CATEGORIES, target=Target("regression", low=100.0, high=900.0, mean=400.0, std=150.0, log_mean=5.9, log_std=0.5)
)


def rows(interface: Interface, n: int) -> np.ndarray:
    """(n, n_features) float32: normal numbers, and codes in the last columns."""
    rng = np.random.default_rng(0)
    counts = interface.level_counts
    numbers = rng.standard_normal((n, interface.n_features - len(counts)))
    codes = [sum(counts[:i]) + rng.integers(0, count, n) for i, count in enumerate(counts)]
    return np.column_stack([numbers, *codes]).astype(np.float32)
