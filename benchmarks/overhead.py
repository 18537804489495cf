"""Table 4: what storage, tracking and sampler cost per trial, with a stub in place of the training."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click
import mlflow
import optuna
from mlflow.optuna.storage import MlflowStorage

from steps.command import import_tensorflow, quiet_libraries
from steps.datasets import load_dataset
from steps.mlp.config import MLPConfig
from steps.mlp.objectives import objectives_of
from steps.mlp.trainer import EpochMetrics, Samples
from steps.search.checkpoints import checkpoints_of
from steps.search.claims import Claims
from steps.search.pruners import make_pruner
from steps.search.samplers import make_sampler
from steps.search.space_file import load_space, space_path
from steps.search.storage import open_storage
from steps.search.study import open_study
from steps.search.task import Task
from steps.search.workers import Workers
from steps.tracking.trials import TrialRuns

EPOCHS = 5
COUNTS = (100, 2000)
CAP = 50  # trials with MlflowStorage, which takes seconds for each


@dataclass
class StubTrainer:
    """Trains nothing: its accuracy is a fixed function of the config and the epoch."""

    config: MLPConfig
    epoch: int = 0
    model: StubTrainer = field(init=False)

    def __post_init__(self) -> None:
        self.model = self
        self._start = random.Random(repr(self.config)).uniform(0.9, 0.98)

    def run_epoch(self) -> EpochMetrics:
        self.epoch += 1
        return EpochMetrics(1 / self.epoch, 1 / self.epoch, self._start + 0.002 * self.epoch)

    def count_params(self) -> int:
        return 1


class StubTask(Task):
    """The real task but for the training."""

    def trainer(self, config: MLPConfig) -> StubTrainer:  # type: ignore[override]
        return StubTrainer(config)


def seconds_of_ours(n_trials: int, folder: Path) -> float:
    """Wall seconds of a study of stub trials: TPE, the packaged space, two threads, SQLite for both stores."""
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    dataset = load_dataset("digits", 1 / 6, seed=0)
    samples = Samples.from_arrays(dataset.splits["train"].features, dataset.splits["train"].labels)
    space, objectives = load_space(space_path("default")), objectives_of(("accuracy",))
    task = StubTask(dataset, samples, samples, space, EPOCHS, 0, "float32", objectives)
    url = f"sqlite:///{folder}/optuna.db"
    storage = open_storage(url)
    sampler = make_sampler("tpe", 0, conditional=space.conditional)
    study = open_study(storage, "stub", objectives, sampler, make_pruner("none", EPOCHS))
    with mlflow.start_run() as run:
        runs = TrialRuns(run)
        start = time.perf_counter()
        with Claims(storage, "stub", run.info.run_id) as claims:
            Workers(
                task, study, runs, claims, checkpoints_of(url), n_trials=n_trials, n_jobs=2,
                on_epoch=_ignore, on_trial=_ignore, on_interruption=_ignore,
            ).run()  # fmt: skip
        runs.close()
        return time.perf_counter() - start


def seconds_of_mlflow_storage(n_trials: int, folder: Path) -> float:
    """The same with MLflow's own Optuna storage, as its documentation shows it."""
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    space = load_space(space_path("default"))

    def objective(trial: optuna.Trial) -> float:
        trainer = StubTrainer(MLPConfig.from_hyperparameters(space.suggest(trial)))
        for epoch in range(1, EPOCHS + 1):
            trial.report(trainer.run_epoch().val_accuracy, epoch)
        return trainer.run_epoch().val_accuracy

    storage = MlflowStorage(experiment_id=mlflow.create_experiment("storage"))
    study = optuna.create_study(study_name="stub", storage=storage, direction="maximize")
    start = time.perf_counter()
    study.optimize(objective, n_trials=n_trials)
    return time.perf_counter() - start


def overhead_table() -> str:
    """Milliseconds per trial, and how many times those of this project."""
    ours = {n: _milliseconds(seconds_of_ours, n) for n in COUNTS}
    theirs = _milliseconds(seconds_of_mlflow_storage, CAP)
    rows = [f"| this project | {n:,} | {found:.0f} | 1 |" for n, found in ours.items()]
    return "\n".join(
        [
            f"Trials of {EPOCHS} epochs that train nothing; the packaged space, TPE, SQLite\n",
            "| system | trials | ms per trial | ratio |",
            "|---|---|---|---|",
            *rows,
            f"| MlflowStorage | {CAP} | {theirs:,.0f} | {theirs / ours[COUNTS[0]]:.0f} |",
        ]
    )


def _milliseconds(measure: Callable[[int, Path], float], n_trials: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return 1000 * measure(n_trials, Path(folder)) / n_trials


def _ignore(*_: object) -> None:
    """Nobody watches."""


if __name__ == "__main__":
    quiet_libraries()
    import_tensorflow()  # as a step does it
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    click.echo(overhead_table())
