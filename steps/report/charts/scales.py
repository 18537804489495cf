"""Axes for hyperparameters: linear, logarithmic, or one position per choice."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from steps.report.study.result import Row

_MARGIN = 0.05  # share of an axis on both sides of its range


@dataclass(frozen=True)
class Scale:
    """One hyperparameter over all trials that have it.

    Attributes:
        choices: Choices of a categorical hyperparameter, in their order; else empty.
        low, high: Ends of the range; 0 and the last index for a categorical hyperparameter.
    """

    name: str
    choices: tuple[Any, ...]
    low: float
    high: float
    log: bool
    whole: bool

    @classmethod
    def of(cls, name: str, rows: Iterable[Row]) -> Scale:
        found = [row.distributions[name] for row in rows if name in row.distributions]
        if isinstance(found[0], CategoricalDistribution):
            return cls(name, found[0].choices, 0, len(found[0].choices) - 1, log=False, whole=True)
        numeric = [d for d in found if isinstance(d, IntDistribution | FloatDistribution)]
        return cls(
            name, (), min(d.low for d in numeric), max(d.high for d in numeric),
            log=numeric[0].log, whole=isinstance(numeric[0], IntDistribution),
        )  # fmt: skip

    def number(self, value: Any) -> float:
        """The value itself, or the index of the choice."""
        return float(self.choices.index(value)) if self.choices else float(value)

    def place(self, row: Row, shift: int = 0) -> float:
        """Position of the trial's value; equal choices are jittered, differently along two axes."""
        return self.number(row.hyperparameters[self.name]) + self.jitter(row.number + shift)

    def fraction(self, number: float) -> float:
        """0 at the low end, 1 at the high end, one half if both are equal."""
        if self.high == self.low:
            return 0.5
        if self.log:
            return math.log(number / self.low) / math.log(self.high / self.low)
        return (number - self.low) / (self.high - self.low)

    def places(self, n: int) -> np.ndarray:
        """`n` numbers from end to end, evenly on this scale."""
        return np.geomspace(self.low, self.high, n) if self.log else np.linspace(self.low, self.high, n)

    def ends(self) -> tuple[float, float]:
        """Limits of an axis, with a margin around all values."""
        if self.choices or self.high == self.low:
            return self.low - 0.5, self.high + 0.5
        if self.log:
            factor = (self.high / self.low) ** _MARGIN
            return self.low / factor, self.high * factor
        return self.low - _MARGIN * (self.high - self.low), self.high + _MARGIN * (self.high - self.low)

    def ticks(self, n: int = 5) -> list[tuple[float, str]]:
        """(number, label) of each choice, or of about `n` positions from end to end."""
        if self.choices:
            return [(float(i), str(choice)) for i, choice in enumerate(self.choices)]
        if self.high == self.low:
            return [(self.low, _short(self.low))]
        places: list[float] = self.places(n).tolist()
        if self.whole:
            places = sorted({float(round(place)) for place in places})
        return [(place, _short(place)) for place in places]

    def jitter(self, number: int) -> float:
        """Jitter that keeps equal choices apart; a function of the number of the trial."""
        return 0.12 * math.sin(2.4 * number) if self.choices else 0.0


def _short(number: float) -> str:
    return f"{number:.0f}" if number == round(number) and abs(number) < 1e5 else f"{number:.2g}"
