from __future__ import annotations

from datetime import datetime, timedelta

import optuna
import pytest
from optuna.trial import TrialState

from steps.base.errors import InputError
from steps.search.strategy.stopping import Plateau, trials_without_improvement


def study_of(values: list[tuple[float, ...]], directions: list[str]) -> optuna.Study:
    study = optuna.create_study(directions=directions)
    for value in values:
        study.tell(study.ask(), list(value))
    return study


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], 0), ([0.5], 0), ([0.5, 0.6, 0.6, 0.5], 2), ([0.9, 0.1, 0.2, 0.3], 3), ([0.1, 0.2, 0.3], 0)],
)
def test_trials_without_a_better_one(values: list[float], expected: int) -> None:
    assert trials_without_improvement(study_of([(v,) for v in values], ["maximize"])) == expected
    assert trials_without_improvement(study_of([(-v,) for v in values], ["minimize"])) == expected


def test_with_several_objectives_a_new_point_of_the_front_is_an_improvement() -> None:
    values = [(0.9, 5.0), (0.8, 4.0), (0.8, 4.0), (0.7, 6.0), (0.95, 9.0), (0.95, 9.5)]
    study = study_of(values, ["maximize", "minimize"])
    assert trials_without_improvement(study) == 1
    assert trials_without_improvement(study_of(values[:4], ["maximize", "minimize"])) == 2


def test_only_complete_trials_count_in_the_order_in_which_they_ended() -> None:
    study = optuna.create_study(direction="maximize")
    now = datetime.now()
    for value, seconds in ((0.9, 3), (0.5, 1), (0.6, 2)):
        trial = optuna.trial.create_trial(value=value)
        trial.datetime_start, trial.datetime_complete = now, now + timedelta(seconds=seconds)
        study.add_trial(trial)
    for state in (TrialState.PRUNED, TrialState.FAIL):
        study.tell(study.ask(), state=state)
    assert trials_without_improvement(study) == 0


def test_the_number_is_reached() -> None:
    study = study_of([(0.5,), (0.4,), (0.3,)], ["maximize"])
    two, three, default = (Plateau.parse(text) for text in ("plateau:2", "plateau:3", "plateau"))
    assert two is not None
    assert two(study)
    assert three is not None
    assert not three(study)
    assert default is not None
    assert not default(study)
    assert Plateau.parse("") is None


@pytest.mark.parametrize("text", ["plateau:0", "plateau:", "plateau:x", "plateau:1.5", "flat", "plateau:-1"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="stop_when must be plateau or plateau:<n>"):
        Plateau.parse(text)
