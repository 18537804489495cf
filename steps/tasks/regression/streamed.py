"""MLflow's own metrics of a regression, of rows that come in chunks."""

from __future__ import annotations

import math

import numpy as np

from steps.tasks.metric import significant
from steps.tasks.regression.metrics import RMSE, mean_absolute_percentage_error, residuals


class StreamedMetrics:
    """The metrics of MLflow's regressor evaluation, by its names; in constant memory."""

    def __init__(self) -> None:
        self._n = 0
        self._sum = self._mean = self._spread = 0.0  # of the targets; the spread is that of squares about the mean
        self._absolute = self._squared = self._percentage = self._largest = 0.0  # sums of errors, and their maximum

    def add(self, targets: np.ndarray, outputs: np.ndarray) -> None:
        """Count (n,) targets and (n, 1) outputs; n is at least 1."""
        errors = np.abs(residuals(targets, outputs))
        self._absolute += float(errors.sum())
        self._squared += float((errors**2).sum())
        self._percentage += mean_absolute_percentage_error(targets, outputs) * len(targets)
        self._largest = max(self._largest, float(errors.max()))
        self._add_targets(targets.astype(np.float64))

    def _add_targets(self, targets: np.ndarray) -> None:
        """Merge mean and spread (Chan, Golub & LeVeque, 1979)."""
        n, mean = len(targets), float(targets.mean())
        total, shift = self._n + n, mean - self._mean
        self._spread += float(((targets - mean) ** 2).sum()) + shift**2 * self._n * n / total
        self._mean += shift * n / total
        self._sum += float(targets.sum())
        self._n = total

    def result(self) -> dict[str, float]:
        """The metrics of all chunks so far; empty before the first row."""
        n = self._n
        if not n:
            return {}
        return {
            "example_count": float(n),
            "mean_absolute_error": self._absolute / n,
            "mean_squared_error": self._squared / n,
            "root_mean_squared_error": math.sqrt(self._squared / n),
            "sum_on_target": self._sum,
            "mean_on_target": self._mean,
            "r2_score": 1 - self._squared / self._spread if self._spread else 0.0,
            "max_error": self._largest,
            "mean_absolute_percentage_error": self._percentage / n,
        }

    def summary(self) -> str:
        return f"{RMSE.label} {significant(math.sqrt(self._squared / self._n))}"
