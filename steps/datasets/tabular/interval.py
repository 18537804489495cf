"""Prediction intervals of numbers, and their scale: what a registered model adds to a predicted number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from .target import Target

Scale = Literal["linear", "log"]
LEVEL = 0.9  # share of the targets that intervals are made to hold
_MEASURES: dict[str, Scale] = {"interval_half_width": "linear", "interval_log_half_width": "log"}


@dataclass(frozen=True)
class PredictionInterval:
    """Intervals of one half width around all predictions, on a linear or a logarithmic scale.

    Attributes:
        half_width: In units of the target, or of log(1 + target) if the scale is `log`.
        least: Limit of the lower ends: 0 if no training target is negative, else None.
        level: Share of the targets that the intervals are made to hold, in (0, 1).
    """

    half_width: float
    scale: Scale = "linear"
    least: float | None = None
    level: float = LEVEL

    @classmethod
    def of_measures(cls, measures: Mapping[str, float], target: Target) -> PredictionInterval | None:
        """The interval whose half width is among the measures of a trial; None if there is none."""
        least = 0.0 if target.low >= 0 else None
        return next((cls(measures[name], scale, least) for name, scale in _MEASURES.items() if name in measures), None)

    def as_measures(self) -> dict[str, float]:
        """The half width by a name that holds the scale."""
        return {name: self.half_width for name, scale in _MEASURES.items() if scale == self.scale}

    def ends(self, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends (n,) float64 of the intervals around (n,) predictions."""
        centre = on_scale(predicted, self.scale)
        low, high = centre - self.half_width, centre + self.half_width
        if self.scale == "log":
            low, high = np.expm1(low), np.expm1(high)
        return (low if self.least is None else np.maximum(low, self.least)), high

    def to_json(self) -> dict[str, Any]:
        """All attributes as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> PredictionInterval:
        """The inverse of `to_json`."""
        return cls(**about)


def on_scale(numbers: np.ndarray, scale: Scale) -> np.ndarray:
    """(n,) float64 numbers on a scale; numbers below 0 count as 0 on the logarithmic one."""
    exact = numbers.astype(np.float64)
    return np.log1p(np.maximum(exact, 0)) if scale == "log" else exact
