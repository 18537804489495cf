"""Early end of a study: `plateau`, no improvement in n complete trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import optuna
from optuna.study import StudyDirection
from optuna.trial import TrialState

from steps.base.errors import InputError

DEFAULT_PLATEAU = 10


@dataclass(frozen=True)
class Plateau:
    """Return whether a study is over: its last `n` complete trials brought no improvement.

    Attributes:
        n: Number of trials, at least 1.
    """

    n: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Parse `plateau` or `plateau:<n>`; None for an empty text.

        Raises:
            InputError: The text is anything else.
        """
        if not text:
            return None
        word, colon, number = text.partition(":")
        n = DEFAULT_PLATEAU if not colon else int(number) if number.isascii() and number.isdecimal() else 0
        if word != "plateau" or n < 1:
            raise InputError(f"stop_when must be plateau or plateau:<n> with n of at least 1, got {text!r}")
        return cls(n)

    def __str__(self) -> str:
        return f"plateau:{self.n}"

    def __call__(self, study: optuna.Study) -> bool:
        return trials_without_improvement(study) >= self.n


def trials_without_improvement(study: optuna.Study) -> int:
    """Number of complete trials since the last improvement, in the order in which they ended.

    With several objectives, a trial is an improvement if no earlier one is at least as good in all of them.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    complete.sort(key=lambda trial: (trial.datetime_complete, trial.number))
    signs = [1 if direction == StudyDirection.MINIMIZE else -1 for direction in study.directions]
    front: list[list[float]] = []
    since = 0
    for trial in complete:
        losses = [sign * value for sign, value in zip(signs, trial.values, strict=True)]
        if any(_at_least_as_good(other, losses) for other in front):
            since += 1
        else:
            front = [other for other in front if not _at_least_as_good(losses, other)] + [losses]
            since = 0
    return since


def _at_least_as_good(a: Sequence[float], b: Sequence[float]) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True))
