from __future__ import annotations

import importlib.util
import sys

import optuna
import pytest

from steps.base.errors import InputError
from steps.search.space.file import load_space, space_path
from steps.search.strategy.samplers import SAMPLERS, check_sampler, make_sampler, reseed

_HERE = [name for name in SAMPLERS if name != "gp" or importlib.util.find_spec("torch")]


def _suggested(name: str, seed: int, n: int = 14) -> list[dict[str, object]]:
    space = load_space(space_path("default"))
    study = optuna.create_study(direction="maximize", sampler=make_sampler(name, seed))
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


@pytest.mark.parametrize("name", [name for name in _HERE if name != "qmc"])
def test_what_is_drawn_is_a_function_of_seed_and_trial_number(name: str) -> None:
    space = load_space(space_path("default"))

    def suggest(seed: int, trial_number: int) -> dict[str, object]:
        study = optuna.create_study(sampler=make_sampler(name, 0))
        reseed(study.sampler, seed, trial_number)
        return space.suggest(study.ask())

    assert suggest(0, 7) == suggest(0, 7)
    assert len({str(suggest(*key)) for key in ((0, 7), (0, 8), (1, 7))}) == 3


def test_gp_without_torch_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match="pip install torch"):
        check_sampler("gp")


def test_cmaes_is_for_one_objective() -> None:
    check_sampler("cmaes")
    with pytest.raises(InputError, match="several objectives"):
        check_sampler("cmaes", 2)
