"""Table 4: cost of storage, tracking and sampler per trial, with a stub instead of the training."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click
import mlflow
import numpy as np
import optuna
import sqlalchemy as sa
from mlflow.optuna.storage import MlflowStorage
from optuna.trial import BaseTrial, FrozenTrial

from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest
from steps.mlp.config import MLPConfig
from steps.mlp.trainer import Epoch, Trainer
from steps.search.space.file import load_space, space_path
from steps.search.space.space import Space
from steps.search.store.leases import Leases
from steps.search.store.study import open_study
from steps.search.store.url import open_storage
from steps.search.strategy.samplers import make_sampler
from steps.search.trials.checkpoints import checkpoints_of
from steps.search.trials.context import TrialContext, WorkerContext
from steps.search.trials.workers import Limits, Workers
from steps.tracking.trials import TrialRuns

EPOCHS = 5
COUNTS = (100, 2000)
LAST = 100  # trials that show the cost late in a study
CAP = 50  # trials with MlflowStorage, which takes seconds for each


_statements: Counter[str] = Counter()  # by the name of the database


@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def _count(connection: sa.Connection, *_: object) -> None:
    _statements[Path(connection.engine.url.database or "").name] += 1


@dataclass
class StubTrainer:
    """Trains nothing: its accuracy is a fixed function of the config and the epoch."""

    config: MLPConfig
    epoch: int = 0
    model: StubTrainer = field(init=False)

    def __post_init__(self) -> None:
        self.model = self
        self._start = random.Random(repr(self.config)).uniform(0.9, 0.98)

    def run_epoch(self) -> Epoch:
        self.epoch += 1
        return Epoch(self._start + 0.002 * self.epoch, None)

    def count_params(self) -> int:
        return 1


class StubContext(TrialContext):
    """The real context except for the training."""

    def trainer(self, config: MLPConfig) -> StubTrainer:  # type: ignore[override]
        return StubTrainer(config)

    def score(self, epoch: Epoch) -> dict[str, float]:
        loss = 1 - epoch.train_loss
        return {"train_loss": loss, "val_accuracy": epoch.train_loss, "val_log_loss": loss}

    def measure(self, trainer: Trainer, outputs: np.ndarray | None, metrics: Mapping[str, float]) -> dict[str, float]:
        return {"accuracy": metrics["val_accuracy"], "log_loss": metrics["val_log_loss"], "parameters": 1.0}


class TimedSpace(Space):
    """A space that measures the CPU seconds of its suggestions."""

    seconds = 0.0

    def suggest(self, trial: BaseTrial) -> dict[str, Any]:
        start = time.thread_time()
        try:
            return super().suggest(trial)
        finally:
            TimedSpace.seconds += time.thread_time() - start


@dataclass(frozen=True)
class NoDisplay:
    """A display without output that records the end of each trial."""

    ended: list[float] = field(default_factory=list)

    def epoch(self, number: int, epoch: int, metrics: object) -> None: ...

    def trial(self, trial: FrozenTrial) -> None:
        self.ended.append(time.perf_counter())

    def interruption(self) -> None: ...


@dataclass(frozen=True)
class Cost:
    """Averages per trial: milliseconds of wall-clock time, of CPU time of all threads and of the sampler; statements.

    Attributes:
        late: Wall-clock milliseconds per trial over the last 100.
    """

    n_trials: int
    wall: float
    late: float
    cpu: float
    sampler: float
    study_statements: float
    tracking_statements: float


def cost_of_ours(n_trials: int, folder: Path) -> Cost:
    """A study of stub trials: TPE, the packaged space, two threads, SQLite for both stores."""
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    dataset = load_dataset(DataRequest("digits"))
    context = StubContext.of(dataset, space=load_space(space_path("image")), epochs=EPOCHS)
    context = replace(context, space=TimedSpace(context.space.dimensions, context.space.text))
    url = f"sqlite:///{folder}/optuna.db"
    storage = open_storage(url)
    sampler = make_sampler("tpe", 0, context.space)
    study = open_study(storage, "stub", context.objectives, sampler, optuna.pruners.NopPruner())
    ended: list[float] = []
    with mlflow.start_run() as run:
        runs = TrialRuns(run)
        _statements.clear()
        TimedSpace.seconds = 0.0
        start, cpu = time.perf_counter(), time.process_time()
        with Leases(storage, "stub", run.info.run_id) as leases:
            worker = WorkerContext(context, study, runs, leases, checkpoints_of(url))
            Workers(worker, Limits(n_trials), NoDisplay(ended), n_jobs=2).run()
        runs.close()
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    return Cost(
        n_trials,
        wall=1000 * wall / n_trials,
        late=1000 * (ended[-1] - ended[-LAST]) / (LAST - 1),
        cpu=1000 * cpu / n_trials,
        sampler=1000 * TimedSpace.seconds / n_trials,
        study_statements=_statements["optuna.db"] / n_trials,
        tracking_statements=_statements["mlflow.db"] / n_trials,
    )


def seconds_of_mlflow_storage(n_trials: int, folder: Path) -> float:
    """The same with MLflow's own Optuna storage, as its documentation shows it."""
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    space = load_space(space_path("image"))

    def objective(trial: optuna.Trial) -> float:
        trainer = StubTrainer(MLPConfig.from_hyperparameters(space.suggest(trial)))
        for epoch in range(1, EPOCHS + 1):
            trial.report(trainer.run_epoch().train_loss, epoch)
        return trainer.run_epoch().train_loss

    storage = MlflowStorage(experiment_id=mlflow.create_experiment("storage"))
    study = optuna.create_study(study_name="stub", storage=storage, direction="maximize")
    start = time.perf_counter()
    study.optimize(objective, n_trials=n_trials)
    return time.perf_counter() - start


def overhead_table() -> str:
    """Milliseconds per trial, the ratio to this project, and a breakdown."""
    ours = []
    for n_trials in COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            ours.append(cost_of_ours(n_trials, Path(folder)))
    with tempfile.TemporaryDirectory() as folder:
        theirs = 1000 * seconds_of_mlflow_storage(CAP, Path(folder)) / CAP
    return "\n".join(
        [
            f"Trials of {EPOCHS} epochs that train nothing; the packaged space, TPE, SQLite\n",
            "| system | trials | ms per trial | ratio |",
            "|---|---|---|---|",
            *(f"| this project | {cost.n_trials:,} | {cost.wall:.0f} | 1 |" for cost in ours),
            f"| this project, the last {LAST} | {ours[-1].n_trials:,} | {ours[-1].late:.0f} | 1 |",
            f"| MlflowStorage | {CAP} | {theirs:,.0f} | {theirs / ours[0].wall:.0f} |",
            "\nBreakdown per trial\n",
            "| trials | CPU ms of all threads | of the sampler | statements to the study | to the tracking store |",
            "|---|---|---|---|---|",
            *(
                f"| {cost.n_trials:,} | {cost.cpu:.0f} | {cost.sampler:.0f} | {cost.study_statements:.0f} "
                f"| {cost.tracking_statements:.0f} |"
                for cost in ours
            ),
        ]
    )


if __name__ == "__main__":
    quiet_libraries()
    import_tensorflow()  # as a step does it
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    click.echo(overhead_table())
