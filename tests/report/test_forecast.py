"""What the display says about running trials, against what their pruner then does."""

from __future__ import annotations

import random

import optuna
import pytest
from optuna.trial import TrialState

from steps.report.forecast import Forecast
from steps.search.strategy.pruners import make_pruner
from steps.tasks.objectives import OBJECTIVES

EPOCHS = 8


def outcomes(spec: str, objective: str, seed: int) -> tuple[list[bool], list[bool]]:
    """For each epoch but the first of 200 trials that often stand still: what was foretold, and what came.

    Only where the epoch was as good as the one before; the last epoch is judged by no pruner.
    """
    rng, pruner = random.Random(seed), make_pruner(spec, EPOCHS)
    study = optuna.create_study(direction=OBJECTIVES[objective].direction, pruner=pruner)
    forecast = Forecast(pruner, OBJECTIVES[objective], EPOCHS)
    foretold, came = [], []
    for _ in range(200):
        trial, value, said = study.ask(), rng.random(), None
        state = TrialState.COMPLETE
        for epoch in range(1, EPOCHS + 1):
            trial.report(value, epoch)
            stopped = epoch < EPOCHS and trial.should_prune()
            if said is not None:
                foretold.append(said)
                came.append(stopped)
            if stopped:
                state = TrialState.PRUNED
                break
            said = forecast.stops_next(trial.number, epoch, value)
            if rng.random() < 0.4:
                value, said = value + rng.choice([-0.1, 0.1]), None  # of that nothing was foretold
        forecast.ended(study.tell(trial, value if state == TrialState.COMPLETE else None, state))
    return foretold, came


@pytest.mark.parametrize("objective", ["accuracy", "log_loss"])
@pytest.mark.parametrize(
    "spec",
    ["median", "percentile:percentile=60,interval_steps=2", "threshold:lower=0.3,upper=0.8", "patient:patience=1"],
)
def test_what_is_foretold_comes(spec: str, objective: str, seed: int) -> None:
    foretold, came = outcomes(spec, objective, seed)
    assert foretold == came
    assert True in came


@pytest.mark.parametrize("spec", ["successive_halving", "hyperband", "patient:patience=1,wrapped=successive_halving"])
def test_halving_pruners_stop_what_is_behind(spec: str, seed: int) -> None:
    foretold, came = outcomes(spec, "accuracy", seed)
    stopped = [said for said, did in zip(foretold, came, strict=True) if did]
    assert {True, False} <= set(foretold)
    assert True in stopped


def test_none_stops_nothing(seed: int) -> None:
    foretold, came = outcomes("none", "accuracy", seed)
    assert True not in [*foretold, *came]
