"""Early end of a study: `plateau`, no improvement in n complete trials; `auto`, none to be expected of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import optuna
from optuna.study import StudyDirection
from optuna.trial import TrialState

from steps.base.errors import InputError
from steps.search.store.attributes import OBJECTIVES, TrialAttributes
from steps.tasks.metric import Interval
from steps.tasks.outlook import Outlook

DEFAULT_PLATEAU = 10
NO_RULE = "none"


class StopRule(Protocol):
    """A rule that ends a study early; as text, the value of the option `stop_when`.

    Attributes:
        name: Its name in `stopped_by`.
    """

    name: str

    def __call__(self, study: optuna.Study, n_trials: int) -> bool:
        """Return whether a study of at most `n_trials` trials is over."""


def parse_stop_rule(text: str) -> StopRule | None:
    """Parse `auto`, `plateau`, `plateau:<n>` or `none`, which gives None.

    Raises:
        InputError: The text is anything else.
    """
    return None if text == NO_RULE else Auto() if text == Auto.name else Plateau.parse(text)


@dataclass(frozen=True)
class Auto:
    """The trials that are left are expected to bring less than the validation rows can tell apart.

    It needs the primary metric as the only objective, and never ends a study of other ones, or one with waiting trials.
    """

    name = "auto"

    def __str__(self) -> str:
        return self.name

    def __call__(self, study: optuna.Study, n_trials: int) -> bool:
        if any(trial.state == TrialState.WAITING for trial in study.get_trials(deepcopy=False)):
            return False
        found = outlook_of(study, n_trials)
        return found is not None and found.is_within_noise


def outlook_of(study: optuna.Study, n_trials: int) -> Outlook | None:
    """The outlook for the trials that are left of a study of at most `n_trials`; None for several objectives."""
    trials = study.get_trials(deepcopy=False)
    objective, *others = study.user_attrs[OBJECTIVES]
    if others:
        return None
    scores = []
    for trial in trials:
        if trial.state == TrialState.COMPLETE:
            measures = TrialAttributes.read(trial).measures or {}
            scores.append(
                Interval(trial.values[0], measures.get(f"{objective}_low"), measures.get(f"{objective}_high"))
            )
    n_ended = sum(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in trials)
    n_begun = sum(trial.state != TrialState.WAITING for trial in trials)
    sign = 1 if study.direction == StudyDirection.MINIMIZE else -1
    return Outlook.of(scores, sign, n_ended, n_trials - n_begun)


@dataclass(frozen=True)
class Plateau:
    """The last `n` complete trials brought no improvement.

    Attributes:
        n: Number of trials, at least 1.
    """

    n: int
    name = "plateau"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `plateau` or `plateau:<n>`.

        Raises:
            InputError: The text is anything else.
        """
        word, colon, number = text.partition(":")
        n = DEFAULT_PLATEAU if not colon else int(number) if number.isascii() and number.isdecimal() else 0
        if word != "plateau" or n < 1:
            raise InputError(f"stop_when must be auto, none, plateau or plateau:<n> with n of at least 1, got {text!r}")
        return cls(n)

    def __str__(self) -> str:
        return f"plateau:{self.n}"

    def __call__(self, study: optuna.Study, n_trials: int) -> bool:
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
