"""The outputs of the best trials, in a study whose trials are told without training."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import optuna
import pytest
from mlflow.tracking import MlflowClient

from steps.datasets import Dataset
from steps.search.space.file import load_space, space_path
from steps.search.store.attributes import TrialAttributes, TrialSettings
from steps.search.store.leases import Leases
from steps.search.store.outputs import N_KEPT, read_outputs
from steps.search.store.url import open_storage
from steps.search.trials.checkpoints import FolderCheckpoints
from steps.search.trials.context import TrialContext, WorkerContext
from steps.search.trials.outputs import drop_outputs, keep_outputs
from steps.tracking.trials import TrialRuns


@pytest.fixture
def worker(digits: Dataset, tracking: Path) -> Iterator[WorkerContext]:
    context = TrialContext.of(digits, space=load_space(space_path("small")), epochs=1)
    storage = open_storage(f"sqlite:///{tracking}/optuna.db")
    study = optuna.create_study(storage=storage, study_name="s", direction="maximize")
    with mlflow.start_run() as run, Leases(storage, "s", run.info.run_id) as leases:
        runs = TrialRuns(run)
        yield WorkerContext(context, study, runs, leases, FolderCheckpoints(0, tracking))
        runs.close()


def outputs(accuracy: float) -> np.ndarray:
    return np.full((3, 2), accuracy, np.float32)


def end_trial(worker: WorkerContext, accuracy: float, **hyperparameters: object) -> str:
    """End a trial as `run_trial` does; returns the ID of its run."""
    trial = worker.study.ask()
    run_id = str(MlflowClient().create_run("0").info.run_id)
    TrialAttributes(
        hyperparameters=hyperparameters, settings=TrialSettings(1, 0, "float32"), run_id=run_id,
        measures={"accuracy": accuracy},
    ).write(trial.set_user_attr)  # fmt: skip
    kept = keep_outputs(worker, run_id, outputs(accuracy), accuracy, hyperparameters)
    worker.study.tell(trial, accuracy)
    drop_outputs(worker, kept)
    return run_id


def test_the_best_trials_have_their_outputs_and_the_others_none(worker: WorkerContext, seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 30, N_KEPT + 9) / 30  # with equal ones
    runs = [end_trial(worker, float(value)) for value in values]
    best = sorted(range(len(runs)), key=lambda number: (-values[number], number))[:N_KEPT]
    for number, run_id in enumerate(runs):
        found = read_outputs(run_id)
        if number in best:
            np.testing.assert_array_equal(found, outputs(float(values[number])), strict=True)
        else:
            assert found is None


@pytest.mark.parametrize("comes_first", [True, False])
def test_the_default_keeps_its_outputs_however_many_are_better(worker: WorkerContext, comes_first: bool) -> None:
    space = load_space(space_path("image"))
    worker = replace(worker, context=replace(worker.context, space=space))
    defaults = [end_trial(worker, 0.1, **space.complete({}))] if comes_first else []
    worst = end_trial(worker, 0.2)
    for i in range(N_KEPT):
        end_trial(worker, 0.5 + i / 100)
    (default,) = defaults or [end_trial(worker, 0.1, **space.complete({}))]
    assert read_outputs(default) is not None
    assert read_outputs(worst) is None


def test_a_store_that_takes_no_outputs_costs_the_outputs_only(
    worker: WorkerContext, tracking: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tracking / "mlruns").mkdir(exist_ok=True)
    (tracking / "mlruns" / "0").touch()  # a file where the folder should be
    with caplog.at_level(logging.WARNING):
        end_trial(worker, 0.5)
    assert "The outputs of a trial could not be kept: " in caplog.text
    assert len(worker.study.trials) == 1
