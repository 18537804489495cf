from __future__ import annotations

import importlib.util
import sys
from statistics import median

import optuna
import pytest
from optuna.distributions import FloatDistribution

from steps.base.errors import InputError
from steps.search.space.file import load_space, space_path
from steps.search.space.space import Dimension, Space
from steps.search.strategy.samplers import SAMPLERS, check_sampler, make_sampler

_HERE = [name for name in SAMPLERS if name != "gp" or importlib.util.find_spec("torch")]


def _suggested(name: str, seed: int, n: int = 14) -> list[dict[str, object]]:
    space = load_space(space_path("image"))
    study = optuna.create_study(direction="maximize", sampler=make_sampler(name, seed, space))
    values = []
    for i in range(n):
        trial = study.ask()
        values.append(space.suggest(trial))
        study.tell(trial, float(i % 5))
    return values


@pytest.mark.parametrize("name", _HERE)
def test_each_takes_the_conditional_space_and_the_seed(name: str) -> None:
    first = _suggested(name, seed=1)
    assert first == _suggested(name, seed=1)
    assert first != _suggested(name, seed=2)
    assert len({str(values) for values in first}) == len(first)


def continued(name: str, space: Space, n_sessions: int, n: int) -> list[dict[str, object]]:
    """Suggestions to a study that is opened again n_sessions - 1 times, with a new sampler each time."""
    storage = optuna.storages.InMemoryStorage()
    values = []
    for _ in range(n_sessions):
        study = optuna.create_study(
            storage=storage, study_name="s", load_if_exists=True, sampler=make_sampler(name, 0, space)
        )
        for _ in range(n // n_sessions):
            trial = study.ask()
            values.append(space.suggest(trial))
            study.tell(trial, float(trial.number % 5))
    return values


@pytest.mark.parametrize("name", _HERE)
def test_a_study_that_is_continued_is_suggested_the_same(name: str) -> None:
    space = load_space(space_path("image"))
    assert continued(name, space, 1, 24) == continued(name, space, 12, 24)


@pytest.mark.parametrize("name", [name for name in _HERE if name != "qmc"])
def test_processes_that_ask_at_once_are_suggested_different_things(name: str) -> None:
    """Each has asked before the other one has told anything; Optuna's QMC counts in the study what it has drawn."""
    space, storage = load_space(space_path("image")), optuna.storages.InMemoryStorage()
    trials = [
        optuna.create_study(
            storage=storage, study_name="s", load_if_exists=True, sampler=make_sampler(name, 0, space)
        ).ask()
        for _ in range(4)
    ]
    assert len({str(space.suggest(trial)) for trial in trials}) == len(trials)


@pytest.mark.parametrize("name", ["tpe", "bayes", "cmaes", "nsgaii"])
def test_each_learns_from_the_trials_of_the_study(name: str) -> None:
    space = Space(tuple(Dimension(x, FloatDistribution(-5, 5), default=-3.0) for x in "abc"))
    study = optuna.create_study(sampler=make_sampler(name, 0, space))
    for _ in range(200):
        trial = study.ask()
        study.tell(trial, sum((trial.suggest_float(x, -5, 5) - 1) ** 2 for x in "abc"))
    values = [trial.value for trial in study.trials]
    assert median(values[-50:]) < median(values[:50]) / 2


def test_gp_without_torch_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match="pip install torch"):
        check_sampler("gp")


@pytest.mark.parametrize("name", ["bayes", "cmaes"])
def test_some_are_for_one_objective(name: str) -> None:
    check_sampler(name)
    with pytest.raises(InputError, match="several objectives"):
        check_sampler(name, 2)
