from __future__ import annotations

from datetime import datetime, timedelta

import optuna
import pytest
from optuna.trial import TrialState

from steps.base.errors import InputError
from steps.search.store.attributes import OBJECTIVES, TrialAttributes
from steps.search.strategy.stopping import Auto, Plateau, outlook_of, parse_stop_rule, trials_without_improvement


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
    assert Plateau.parse("plateau:2")(study, 100)
    assert not Plateau.parse("plateau:3")(study, 100)
    assert not Plateau.parse("plateau")(study, 100)


def test_auto_ends_a_study_whose_other_trials_promise_less_than_the_rows_can_tell() -> None:
    study = optuna.create_study(direction="maximize")
    study.set_user_attr(OBJECTIVES, ["accuracy"])
    stop, said = Auto(), []
    for i in range(12):
        trial, value = study.ask(), 0.9 - (i % 5) / 100
        measures = {"accuracy": value, "accuracy_low": value - 0.02, "accuracy_high": value + 0.02}
        TrialAttributes(measures=measures).write(trial.set_user_attr)
        study.tell(trial, value)
        said.append([stop(study, n_trials) for n_trials in (16, 1000)])
    assert said[6] == [False, False]  # too few
    assert said[11] == [True, False]  # 4 or 988 are left
    study.enqueue_trial({})
    assert not stop(study, 16)  # what was asked for is tried
    outlook = outlook_of(study, 16)
    assert outlook is not None
    assert outlook.n_more == 4
    assert outlook.resolution == pytest.approx(0.0102, abs=1e-4)


def test_auto_never_ends_a_study_of_several_objectives_or_of_another_metric() -> None:
    several = study_of([(0.9, 5.0)] * 12, ["maximize", "minimize"])
    several.set_user_attr(OBJECTIVES, ["accuracy", "latency"])
    other = study_of([(0.9,)] * 12, ["maximize"])  # no intervals
    other.set_user_attr(OBJECTIVES, ["f1_macro"])
    assert not any(Auto()(study, 16) for study in (several, other))


@pytest.mark.parametrize("text", ["plateau:3", "auto"])
def test_a_rule_is_its_text(text: str) -> None:
    rule = parse_stop_rule(text)
    assert str(rule) == text
    assert rule is not None
    assert rule.name == text.partition(":")[0]
    assert parse_stop_rule("none") is None


@pytest.mark.parametrize(
    "text", ["plateau:0", "plateau:", "plateau:x", "plateau:1.5", "flat", "plateau:-1", "auto:3", ""]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="stop_when must be auto, none, plateau or plateau:<n>"):
        parse_stop_rule(text)
