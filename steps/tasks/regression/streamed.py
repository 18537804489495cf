"""MLflow's own metrics of a regression, of rows that come in chunks."""

from __future__ import annotations

import math

import numpy as np

from steps.tasks import intervals
from steps.tasks.metric import Interval, significant
from steps.tasks.regression.metrics import RMSE, mean_absolute_percentage_error, residuals


class _Moments:
    """Number, mean, and squares about the mean of numbers that come in chunks (Chan, Golub & LeVeque, 1979)."""

    def __init__(self) -> None:
        self.n, self.mean, self.squares = 0, 0.0, 0.0

    def add(self, numbers: np.ndarray) -> None:
        """Count (n,) float64; n is at least 1."""
        n, mean = len(numbers), float(numbers.mean())
        total, shift = self.n + n, mean - self.mean
        self.squares += float(((numbers - mean) ** 2).sum()) + shift**2 * self.n * n / total
        self.mean += shift * n / total
        self.n = total


class StreamedMetrics:
    """The metrics of MLflow's regressor evaluation, by its names; in constant memory."""

    def __init__(self) -> None:
        self._targets, self._squared = _Moments(), _Moments()  # of the targets and the squared errors
        self._sum = self._absolute = self._percentage = self._largest = 0.0  # sums, and the largest error

    def add(self, targets: np.ndarray, outputs: np.ndarray) -> None:
        """Count (n,) targets and (n, 1) outputs; n is at least 1."""
        errors = np.abs(residuals(targets, outputs))
        self._absolute += float(errors.sum())
        self._squared.add(errors**2)
        self._percentage += mean_absolute_percentage_error(targets, outputs) * len(targets)
        self._largest = max(self._largest, float(errors.max()))
        self._targets.add(targets.astype(np.float64))
        self._sum += float(targets.sum(dtype=np.float64))

    def result(self) -> dict[str, float]:
        """The metrics of all chunks so far; empty before the first row."""
        n, mean_squared = self._targets.n, self._squared.mean
        if not n:
            return {}
        total = self._targets.squares / n
        return {
            "example_count": float(n),
            "mean_absolute_error": self._absolute / n,
            "mean_squared_error": mean_squared,
            "root_mean_squared_error": math.sqrt(mean_squared),
            "sum_on_target": self._sum,
            "mean_on_target": self._targets.mean,
            "r2_score": 1 - mean_squared / total if total else 0.0,
            "max_error": self._largest,
            "mean_absolute_percentage_error": self._percentage / n,
        }

    def primary(self) -> Interval | None:
        """RMSE of all chunks so far."""
        n, mean = self._squared.n, self._squared.mean
        if not n:
            return None
        ends = intervals.of_moments(n, mean, math.sqrt(self._squared.squares / (n - 1))) if n > 1 else None
        return Interval(math.sqrt(mean), *(map(math.sqrt, ends) if ends else ()))

    def summary(self) -> str:
        return f"{RMSE.label} {significant(math.sqrt(self._squared.mean))}"
