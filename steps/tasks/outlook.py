"""The improvement to be expected of further trials, against what the validation rows can tell apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from steps.tasks.metric import Interval
from steps.tasks.objectives import Objective

_LEAST = 8  # trials that were completed or pruned
_TOP = 5  # best trials that tell how far apart good ones are, and the next one
_Z = 1.96  # standard errors from the middle to an end of a 95 % interval
_EULER = 0.5772156649015329


@dataclass(frozen=True)
class Outlook:
    """The outlook of a study with a single objective.

    Attributes:
        n_more: Number of further trials.
        gain: Expected improvement of the best value by them, in the unit of the objective.
        resolution: One standard error of the best value on the validation rows.
    """

    n_more: int
    gain: float
    resolution: float

    @classmethod
    def of(cls, scores: Sequence[Interval], sign: int, n_ended: int, n_more: int) -> Self | None:
        """The outlook after at least 8 trials, 6 of them complete; None before, or if the best has no interval.

        The best of them are taken as peaks over a threshold with an exponential tail (Pickands, Annals of Statistics 3,
        1975), and further trials as draws from the same distribution. A sampler that learns can do better.

        Args:
            scores: Of the complete trials.
            sign: Factor that turns a score into a loss.
            n_ended: Number of trials that were completed or pruned.
        """
        ordered = sorted(scores, key=lambda score: sign * score.value)
        if n_ended < _LEAST or len(ordered) <= _TOP or (best := ordered[0]).low is None or best.high is None:
            return None
        losses = [sign * score.value for score in ordered[: _TOP + 1]]
        excesses = [losses[-1] - loss for loss in losses[:-1]]
        scale = sum(excesses) / len(excesses)
        expected = n_more * len(excesses) / n_ended * math.exp(-excesses[0] / scale) if scale else 0.0
        return cls(n_more, scale * _expected_maximum(expected), (best.high - best.low) / (2 * _Z))

    @property
    def is_within_noise(self) -> bool:
        """Return whether the validation rows could not tell such an improvement from none."""
        return self.gain < self.resolution

    def text(self, objective: Objective) -> str:
        """The two numbers in a clause."""
        trials = f"{self.n_more} more trials are" if self.n_more != 1 else "one more trial is"
        gain, resolution = objective.text(self.gain), objective.text(self.resolution)
        return (
            f"{trials} expected to improve the best {objective.label} by {gain}; one standard error on the validation "
            f"rows is {resolution}"
        )


def _expected_maximum(number: float) -> float:
    """Expected maximum of a Poisson number of exponential variables with mean 1, 0 if there are none.

    Args:
        number: Expected number of variables; the result is the entire exponential integral of it.
    """
    if number < 1:
        return sum(-((-number) ** k) / (k * math.factorial(k)) for k in range(1, 20))
    from scipy.special import exp1

    return float(_EULER + math.log(number) + exp1(number))
