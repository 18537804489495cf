"""Metrics of a regression, from its outputs (n, 1) and the targets (n,), both in the target's own units.

NumPy alone: scikit-learn takes a second to import, and a study needs these after each epoch.
"""

from __future__ import annotations

import math

import numpy as np

from steps.tasks import intervals
from steps.tasks.metric import Metric


def residuals(targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """(n,) float64 outputs minus targets: positive if the prediction is too high."""
    return np.asarray(outputs[:, 0].astype(np.float64) - targets.astype(np.float64))


def squared_errors(targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """(n,) float64."""
    return np.asarray(residuals(targets, outputs) ** 2)


def rmse(targets: np.ndarray, outputs: np.ndarray) -> float:
    """Root of the mean squared error."""
    return math.sqrt(squared_errors(targets, outputs).mean())


def mae(targets: np.ndarray, outputs: np.ndarray) -> float:
    """Mean absolute error."""
    return float(np.abs(residuals(targets, outputs)).mean())


def median_absolute_error(targets: np.ndarray, outputs: np.ndarray) -> float:
    return float(np.median(np.abs(residuals(targets, outputs))))


def mean_absolute_percentage_error(targets: np.ndarray, outputs: np.ndarray) -> float:
    """Mean absolute error as a share of the target; one that is 0 counts as the smallest step of a float64 at 1."""
    return float(_percentage_errors(targets, outputs).mean())


def r2(targets: np.ndarray, outputs: np.ndarray) -> float:
    """Share of the variance that is explained; 0 if all targets are equal, as a mean would get."""
    centred = targets.astype(np.float64) - targets.mean(dtype=np.float64)
    total = float((centred**2).sum())
    return 1 - float(squared_errors(targets, outputs).sum()) / total if total else 0.0


def _percentage_errors(targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    size = np.maximum(np.abs(targets.astype(np.float64)), np.finfo(np.float64).eps)
    return np.asarray(np.abs(residuals(targets, outputs)) / size)


def _rmse_interval(targets: np.ndarray, outputs: np.ndarray) -> tuple[float, float] | None:
    ends = intervals.of_mean(squared_errors(targets, outputs))
    return ends and (math.sqrt(ends[0]), math.sqrt(ends[1]))


def _mae_interval(targets: np.ndarray, outputs: np.ndarray) -> tuple[float, float] | None:
    return intervals.of_mean(np.abs(residuals(targets, outputs)))


def _median_interval(targets: np.ndarray, outputs: np.ndarray) -> tuple[float, float] | None:
    return intervals.of_order_statistics(np.abs(residuals(targets, outputs)))


def _percentage_interval(targets: np.ndarray, outputs: np.ndarray) -> tuple[float, float] | None:
    return intervals.of_mean(_percentage_errors(targets, outputs))


def _r2_interval(targets: np.ndarray, outputs: np.ndarray) -> tuple[float, float] | None:
    """By the bootstrap."""
    centred = targets.astype(np.float64) - targets.mean(dtype=np.float64)
    scale = float(np.abs(centred).max()) or 1.0
    errors = squared_errors(targets, outputs) / scale**2
    parts = np.stack([np.ones_like(centred), centred / scale, (centred / scale) ** 2, errors], axis=1)  # (n, 4)

    def statistic(copies: np.ndarray) -> np.ndarray:
        n, first, second, lost = (copies @ parts).T
        return np.asarray(1 - lost / (second - first**2 / n))

    return intervals.by_bootstrap(statistic, len(targets))


RMSE = Metric(
    "rmse", "RMSE", "minimize", rmse, _rmse_interval, tolerance=0.01, has_unit=True, bounds=(0, math.inf)
)  # fmt: skip
METRICS = {
    metric.name: metric
    for metric in (
        RMSE,
        Metric("mae", "MAE", "minimize", mae, _mae_interval, has_unit=True, bounds=(0, math.inf)),
        Metric("r2", "R²", "maximize", r2, _r2_interval, bounds=(-math.inf, 1)),
        Metric(
            "median_absolute_error", "median absolute error", "minimize", median_absolute_error, _median_interval,
            has_unit=True, bounds=(0, math.inf),
        ),
    )
}  # fmt: skip
PERCENTAGE = Metric(
    "mean_absolute_percentage_error", "mean absolute percentage error", "minimize", mean_absolute_percentage_error,
    _percentage_interval, is_share=True, bounds=(0, math.inf),
)  # fmt: skip
