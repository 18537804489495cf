"""The swift TPE sampler suggests what Optuna's does."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.samplers._tpe._truncnorm import _log_gauss_mass

from steps.search.space.file import load_space, space_path
from steps.search.strategy.tpe import FastTPESampler, log_mass

SETTINGS: dict[str, Any] = {"seed": 3, "multivariate": True, "constant_liar": True}


def suggestions(sampler: BaseSampler, n_before: int, n: int, n_objectives: int) -> list[dict[str, Any]]:
    """Those after a fixed history with pruned and failed trials, while another trial is always running."""
    space, chance = load_space(space_path("default")), random.Random(1)
    study = optuna.create_study(directions=["maximize"] * n_objectives, sampler=RandomSampler(seed=1))
    running: list[optuna.Trial] = []
    found = []
    for i in range(n_before + n):
        if i == n_before:
            study.sampler = sampler
        trial = study.ask()
        found.append(space.suggest(trial))
        running.append(trial)
        if len(running) == 2:
            ended = running.pop(0)
            if i % 7 == 1:
                study.tell(ended, state=optuna.trial.TrialState.FAIL)
            elif i % 7 == 3 and n_objectives == 1:
                ended.report(chance.random(), i % 3)
                study.tell(ended, state=optuna.trial.TrialState.PRUNED)
            else:
                study.tell(ended, [chance.random() for _ in range(n_objectives)])
    return found[n_before:]


@pytest.mark.parametrize("n_objectives", [1, 2])
@pytest.mark.parametrize("group", [True, False])
@pytest.mark.parametrize(("n_before", "n"), [(0, 30), (200, 6)])
def test_suggestions_are_those_of_optuna(n_before: int, n: int, group: bool, n_objectives: int) -> None:
    swift, plain = (
        suggestions(kind(group=group, **SETTINGS), n_before, n, n_objectives) for kind in (FastTPESampler, TPESampler)
    )
    assert swift == plain


def test_the_mass_of_an_interval_is_exact_in_both_tails() -> None:
    chance = np.random.default_rng(0)
    a = chance.normal(0, 8, 5000)
    b = a + chance.exponential(1, 5000)
    np.testing.assert_allclose(log_mass(a, b), _log_gauss_mass(a, b), rtol=1e-9)
