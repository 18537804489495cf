"""Prediction sets of classes: the classes that a registered model does not rule out at a level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

LEVELS = tuple(percent / 100 for percent in range(50, 100))  # shares of the rows that sets can be made to hold


@dataclass(frozen=True)
class PredictionSets:
    """Probabilities from which on a class belongs to the set of a row, one for each level.

    Attributes:
        least: For the first levels of `LEVELS`, falling; few validation rows reach no high level.
    """

    least: tuple[float, ...]

    @property
    def levels(self) -> tuple[float, ...]:
        """The levels that there are, rising; at least one."""
        return LEVELS[: len(self.least)]

    def members(self, probabilities: np.ndarray, predicted: np.ndarray, level: float) -> np.ndarray:
        """(n, n_classes) booleans: which classes belong to the set of each row; the predicted one always does.

        Args:
            probabilities: (n, n_classes).
            predicted: (n,) numbers of the predicted classes.
            level: One of `levels`.
        """
        members = probabilities >= np.float32(self.least[self.levels.index(level)])
        members[np.arange(len(members)), predicted] = True
        return np.asarray(members)

    def to_json(self) -> dict[str, Any]:
        """All attributes as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> PredictionSets:
        """The inverse of `to_json`."""
        return cls(tuple(about["least"]))
