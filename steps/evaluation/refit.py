"""Final training of a model for the registry, on train + validation, with its loss on the active run."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass

import keras
import mlflow
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

from steps.base.errors import StepError
from steps.datasets import Dataset
from steps.datasets.interface import Interface
from steps.datasets.split import training_rows
from steps.ensembles.network import averaged
from steps.mlp.config import MLPConfig, Precision
from steps.mlp.graphs import Graphs
from steps.mlp.runtime import available_cores, trainings_at_once
from steps.mlp.trainer import Samples, Trainer
from steps.report.terminal import TrainingDisplay
from steps.tracking.lineage import MemberLineage

_GATHER, _MOST = 1.0, 900  # seconds, and losses, of one request


@dataclass(frozen=True)
class Refit:
    """The result of the final training.

    Attributes:
        model: The network to be registered: the weighted mean of those of the members.
        members: The network of each member by its name, those of the best trial first.
        losses: Training loss of each epoch, by the name of the member.
    """

    model: keras.Model
    members: Mapping[str, keras.Model]
    losses: Mapping[str, tuple[float, ...]]

    @property
    def best(self) -> keras.Model:
        """A network of the best trial alone."""
        return next(iter(self.members.values()))


def n_at_once(n_members: int) -> int:
    """Number of members that are trained side by side: as many as there are cores, at most four on a GPU."""
    return min(n_members, trainings_at_once(available_cores()))


def refit(members: Mapping[str, MemberLineage], dataset: Dataset, precision: Precision, threads: int) -> Refit:
    """Train the configs of one or several trials on train + validation, and log their losses on the active run.

    Args:
        members: By names that are valid for a Keras layer, those of the best trial first.
        threads: Threads of each; a member is trained as it would be alone on as many.

    Raises:
        StepError: A loss is not finite.
    """
    with TrainingDisplay(sum(member.epochs for member in members.values())) as display:
        final = _FinalTraining(dataset, precision, threads, display)
        keys = {name: "train_loss" if len(members) == 1 else f"train_loss/{name}" for name in members}
        with ThreadPoolExecutor(n_at_once(len(members))) as pool:
            trained = {name: pool.submit(final.train, name, member, keys[name]) for name, member in members.items()}
            try:
                wait(trained.values(), return_when=FIRST_EXCEPTION)
            finally:  # after an error or an interruption, the others end after their epoch
                final.stop.set()
                pool.shutdown(cancel_futures=True)
                final.write_losses()
    done = {name: future.result() for name, future in trained.items()}
    models = {name: network for name, (network, _) in done.items()}
    by_seed = sorted(members, key=lambda name: (members[name].trial_number, members[name].seed))
    weights = {name: members[name].weight for name in by_seed}  # a lineage keeps no other order
    model = averaged({name: models[name] for name in by_seed}, weights)
    return Refit(model, models, {name: losses for name, (_, losses) in done.items()})


class _FinalTraining:
    """Trainings on the same data, in any thread.

    Attributes:
        stop: Set to end the running ones after their epoch.
    """

    def __init__(self, dataset: Dataset, precision: Precision, threads: int, display: TrainingDisplay) -> None:
        self._samples, self._interface = Samples.of(training_rows(dataset)), Interface.of(dataset)
        self._precision, self._display, self._threads = precision, display, threads
        self._graphs, self._run_id = Graphs(), mlflow.active_run().info.run_id
        self._log, self._losses, self._written_at = threading.Lock(), list[Metric](), 0.0
        self.stop = threading.Event()

    def train(self, name: str, member: MemberLineage, key: str) -> tuple[keras.Model, tuple[float, ...]]:
        """The network of one member and its loss after each epoch, which is logged under a key."""
        trainer = Trainer(
            MLPConfig.from_hyperparameters(member.hyperparameters),
            self._samples,
            interface=self._interface,
            epochs=member.schedule,
            seed=member.seed,
            precision=self._precision,
            threads=self._threads,
            graphs=self._graphs,
        )
        losses: list[float] = []
        while trainer.epoch < member.epochs and not self.stop.is_set():
            loss = trainer.run_epoch().train_loss
            if not math.isfinite(loss):
                raise StepError(
                    f"the loss of {name} is not finite after epoch {trainer.epoch}; choose another trial or "
                    "precision=float32"
                )
            self._log_loss(key, loss, trainer.epoch)
            self._display.epoch(loss)
            losses.append(loss)
        return trainer.model, tuple(losses)

    def _log_loss(self, key: str, loss: float, epoch: int) -> None:
        """Keep a loss for the run, and write those of the last second: a request per short epoch costs more than it."""
        with self._log:  # SQLite takes one writer at a time
            self._losses.append(Metric(key, loss, int(1000 * time.time()), epoch))
            if time.monotonic() - self._written_at > _GATHER or len(self._losses) == _MOST:
                self.write_losses()

    def write_losses(self) -> None:
        """Write the losses that are kept onto the run."""
        if self._losses:
            MlflowClient().log_batch(self._run_id, metrics=self._losses)
        self._losses, self._written_at = [], time.monotonic()
