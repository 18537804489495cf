"""The sampler `tpe`: what it draws together, and how it rounds."""

from __future__ import annotations

from statistics import median

import optuna
import pytest
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from steps.search.space.space import Space
from steps.search.strategy.samplers import make_sampler
from steps.search.strategy.tpe import SharedSpace

KIND, UNITS, RATE = IntDistribution(0, 1), IntDistribution(1, 500, log=True), FloatDistribution(0, 1)


def add(study: optuna.Study, distributions: dict[str, BaseDistribution]) -> None:
    params = {name: known.to_external_repr(1.0) for name, known in distributions.items()}
    study.add_trial(create_trial(params=params, distributions=distributions, value=0.0))


def test_hyperparameters_that_all_trials_have_are_drawn_together() -> None:
    study, shared = optuna.create_study(), SharedSpace()
    assert shared.of(study) == {}
    add(study, {"kind": KIND, "units": UNITS, "rate": RATE})
    assert shared.of(study) == {"kind": KIND, "units": UNITS, "rate": RATE}
    add(study, {"kind": KIND, "units": UNITS})
    assert shared.of(study) == {"kind": KIND, "units": UNITS}
    add(study, {"kind": KIND, "units": IntDistribution(1, 600, log=True), "rate": RATE})
    assert shared.of(study) == {"kind": KIND}


@pytest.mark.parametrize("log", [False, True])
def test_a_long_range_of_integers_is_drawn_up_to_its_ends(log: bool) -> None:
    study = optuna.create_study(sampler=make_sampler("tpe", 0, Space(())))
    for _ in range(120):
        trial = study.ask()
        low = trial.suggest_int("low", 1, 200, log=log)
        high = trial.suggest_int("high", 1, 200, log=log)
        stepped = trial.suggest_int("stepped", 100, 1000, step=10)
        study.tell(trial, float(low - high + abs(stepped - 500) / 10))
    drawn = [trial.params for trial in study.trials[-40:]]
    assert min(params["low"] for params in drawn) == 1
    assert max(params["high"] for params in drawn) == 200
    assert {type(value) for params in drawn for value in params.values()} == {int}
    assert {params["stepped"] % 10 for params in drawn} == {0}
    assert abs(median(params["stepped"] for params in drawn) - 500) <= 150


def test_integers_are_random_in_the_beginning_and_each_is_as_likely() -> None:
    drawn = []
    for seed in range(600):
        drawn.append(optuna.create_study(sampler=make_sampler("tpe", seed, Space(()))).ask().suggest_int("x", 0, 59))
    counts = [sum(10 * i <= value < 10 * i + 10 for value in drawn) for i in range(6)]
    assert max(abs(count - 100) for count in counts) < 40  # four standard deviations
    assert {min(drawn), max(drawn)} == {0, 59}
