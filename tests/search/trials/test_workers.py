from __future__ import annotations

import threading
from pathlib import Path

import mlflow
import optuna
from optuna.trial import FrozenTrial

from steps.datasets import Dataset
from steps.search.space.file import load_space, space_path
from steps.search.store.leases import Leases
from steps.search.store.url import open_storage
from steps.search.trials.checkpoints import FolderCheckpoints
from steps.search.trials.context import TrialContext, WorkerContext
from steps.search.trials.workers import Limits, Workers
from steps.tracking.trials import TrialRuns


def test_a_thread_without_trials_does_something_else_while_others_run_theirs(digits: Dataset, tracking: Path) -> None:
    context = TrialContext.of(digits, space=load_space(space_path("small")), epochs=1)
    storage, idle = open_storage(f"sqlite:///{tracking}/optuna.db"), threading.Event()
    study = optuna.create_study(storage=storage, study_name="s", direction="maximize")

    class Waiting:
        """Keeps the only trial running until a thread has become idle."""

        def epoch(self, number: int, epoch: int, metrics: object) -> None:
            assert idle.wait(60), "nobody became idle while the only trial ran"

        def trial(self, trial: FrozenTrial) -> None: ...

        def interruption(self) -> None: ...

    with mlflow.start_run() as run, Leases(storage, "s", run.info.run_id) as leases:
        runs = TrialRuns(run)
        worker = WorkerContext(context, study, runs, leases, FolderCheckpoints(0, tracking))
        Workers(worker, Limits(n_trials=1), Waiting(), n_jobs=2, on_idle=idle.set).run()
        runs.close()
    assert len(study.trials) == 1
