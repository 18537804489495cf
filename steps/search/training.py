"""The work of one trial: what it is a function of, and its epochs, from a checkpoint where there is one."""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import optuna

from steps.datasets import Dataset
from steps.mlp.checkpoint import CheckpointError, load_checkpoint, remove_checkpoint, save_checkpoint
from steps.mlp.config import MLPConfig, Precision
from steps.mlp.trainer import EpochMetrics, Samples, Trainer
from steps.search.space import Space
from steps.search.storage import Checkpoints
from steps.tracking.trials import TrialRuns

logger = logging.getLogger(__name__)

# User attributes of the Optuna trial.
HYPERPARAMETERS, SETTINGS = "hyperparameters", "settings"

OnEpoch = Callable[[int, int, EpochMetrics], None]  # trial number, epoch (1-based), its metrics


@dataclass(frozen=True)
class Task:
    """What all trials of a study share.

    Attributes:
        train, validation: The samples, one copy for all threads.
        epochs: Budget of a trial that is not pruned.
        seed: Seed of every trial, so that its result depends on config, seed and data only.
    """

    dataset: Dataset
    train: Samples
    validation: Samples
    space: Space
    epochs: int
    seed: int
    precision: Precision

    def trainer(self, config: MLPConfig) -> Trainer:
        return Trainer(
            config,
            self.train,
            self.validation,
            n_classes=len(self.dataset.class_names),
            feature_max=self.dataset.feature_max,
            image_shape=self.dataset.image_shape,
            epochs=self.epochs,
            seed=self.seed,
            precision=self.precision,
        )


class Interrupted(Exception):
    """The person stopped the study while this trial was running."""


class Lost(Exception):
    """This process was away so long that another one took the trial over."""


@dataclass(frozen=True)
class Job:
    """One trial to be run or continued.

    Attributes:
        task: With the budget, seed and precision that the trial began with.
        began: Whether an earlier process began it.
    """

    task: Task
    trial: optuna.Trial
    hyperparameters: Mapping[str, Any]
    began: bool


def prepare(task: Task, trial: optuna.Trial) -> Job:
    """Suggest a trial's hyperparameters, or find what an earlier process suggested.

    They are kept in the study with all else the trial is a function of, so that neither a space nor an
    option that changes later can change a trial that goes on.
    """
    known = trial.user_attrs
    if SETTINGS in known:
        hyperparameters = json.loads(known[HYPERPARAMETERS])
        return Job(replace(task, **known[SETTINGS]), trial, hyperparameters, began=True)
    hyperparameters = task.space.suggest(trial)
    trial.set_user_attr(HYPERPARAMETERS, json.dumps(hyperparameters))
    trial.set_user_attr(SETTINGS, {"epochs": task.epochs, "seed": task.seed, "precision": task.precision})
    return Job(task, trial, hyperparameters, began=False)


class Training:
    """The epochs of one trial, from its checkpoint where there is one."""

    def __init__(
        self, job: Job, runs: TrialRuns, run_id: str, checkpoints: Checkpoints, is_mine: Callable[[], bool]
    ) -> None:
        self._job, self._runs, self._run_id = job, runs, run_id
        self._checkpoint, self._interval = checkpoints.path(run_id), checkpoints.seconds
        self._is_mine = is_mine
        self._key = {
            "hyperparameters": dict(job.hyperparameters),
            "data": job.task.dataset.digest,
            "epochs": job.task.epochs,
            "seed": job.task.seed,
            "precision": job.task.precision,
        }
        self._reported = job.trial.storage.get_trial(job.trial._trial_id).intermediate_values if job.began else {}
        self._saved_at = time.monotonic()
        self.history: list[EpochMetrics] = []

    def run(self, stop: threading.Event, on_epoch: OnEpoch) -> float:
        """Train to the end of the budget; returns the last validation accuracy.

        Raises:
            optuna.TrialPruned, Interrupted, Lost, FloatingPointError: It ended earlier.
        """
        task, trial = self._job.task, self._job.trial
        trainer = task.trainer(MLPConfig.from_hyperparameters(self._job.hyperparameters))
        self._restore(trainer)
        while trainer.epoch < task.epochs:
            if stop.is_set():
                self._save(trainer)
                raise Interrupted
            metrics = trainer.run_epoch()
            if not self._is_mine():
                raise Lost
            self._record(trainer.epoch, metrics)
            self.history.append(metrics)
            if not (math.isfinite(metrics.train_loss) and math.isfinite(metrics.val_loss)):
                raise FloatingPointError(
                    f"the loss is not finite after epoch {trainer.epoch}; a lower learning_rate may help"
                )
            on_epoch(trial.number, trainer.epoch, metrics)
            # Where an epoch after this one is reported, this one was judged before the crash.
            if trainer.epoch < task.epochs and trainer.epoch >= max(self._reported, default=0) and trial.should_prune():
                raise optuna.TrialPruned
            if trainer.epoch < task.epochs and time.monotonic() - self._saved_at >= self._interval:
                self._save(trainer)
        return self.history[-1].val_accuracy

    def forget(self) -> None:
        """Remove the checkpoint of a trial that has ended."""
        try:
            remove_checkpoint(self._checkpoint)
        except OSError as error:
            logger.warning("A checkpoint could not be removed: %s", error)

    def _record(self, epoch: int, metrics: EpochMetrics) -> None:
        self._runs.log_metrics(self._run_id, vars(metrics), epoch)
        if epoch not in self._reported:
            self._job.trial.report(metrics.val_accuracy, epoch)

    def _restore(self, trainer: Trainer) -> None:
        if not self._job.began:
            return
        try:
            self.history = load_checkpoint(self._checkpoint, trainer, self._key)
        except (CheckpointError, OSError) as error:
            logger.warning("Trial %d starts from its first epoch: %s", self._job.trial.number, error)
        for epoch, metrics in enumerate(self.history, 1):
            self._record(epoch, metrics)

    def _save(self, trainer: Trainer) -> None:
        try:
            save_checkpoint(self._checkpoint, trainer, self.history, self._key)
        except OSError as error:
            logger.warning("Trial %d goes on without a checkpoint: %s", self._job.trial.number, error)
        self._saved_at = time.monotonic()
