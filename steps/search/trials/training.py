"""The epochs of one trial, from its checkpoint if there is one."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping

import numpy as np
import optuna

from steps.mlp.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from steps.mlp.config import MLPConfig
from steps.mlp.folds import FoldedTrainer
from steps.search.trials.context import Job, WorkerContext
from steps.tasks.objectives import COSTS

logger = logging.getLogger(__name__)

_TRAINING_PER_SAVING = 20  # seconds of training to one of saving: slow uploads make checkpoints rarer
EpochMetrics = Mapping[str, float]  # by name: train_loss, val_<metric>
OnEpoch = Callable[[int, int, EpochMetrics], None]  # trial number, epoch (1-based), its metrics


class Interrupted(Exception):
    """The person stopped the study while this trial was running."""


class Lost(Exception):
    """This process was away so long that another one took the trial over."""


class Training:
    """The epochs of one trial, from its checkpoint if there is one.

    Attributes:
        history: Metrics of each epoch.
        outputs: (n, n_outputs) float32 for the validation rows after the epoch by which the trial is judged; None
            before its end.
    """

    def __init__(self, worker: WorkerContext, job: Job, run_id: str) -> None:
        self._job, self._runs, self._run_id = job, worker.runs, run_id
        self._checkpoints, self._interval = worker.checkpoints, worker.checkpoints.seconds
        self._leases = worker.leases
        self._key = {
            "hyperparameters": dict(job.hyperparameters),
            "data": job.context.dataset.digest,
            "epochs": job.context.epochs,
            "seed": job.context.seed,
            "precision": job.context.precision,
        }
        self._reported: Mapping[int, float] = {}
        if job.began:
            storage = worker.leases.storage
            trial_id = storage.trial_id(worker.study.study_name, job.trial.number)
            self._reported = storage.get_trial(trial_id).intermediate_values
        self._saved_at = time.monotonic()
        self._may_have_checkpoint = job.began
        self.history: list[EpochMetrics] = []
        self.outputs: np.ndarray | None = None

    def run(self, stop: threading.Event, on_epoch: OnEpoch, deadline: float = math.inf) -> dict[str, float]:
        """Train to the end of the budget; returns the measures of the trained MLP.

        Args:
            deadline: Time by `time.monotonic` from which a trial judged at its best epoch trains no further one.

        Raises:
            optuna.TrialPruned, Interrupted, Lost, FloatingPointError: It ended earlier.
        """
        context, trial = self._job.context, self._job.trial
        trainer = context.trainer(MLPConfig.from_hyperparameters(self._job.hyperparameters))
        self._restore(trainer)
        outputs = None
        while trainer.epoch < context.epochs and not self._is_over(deadline):
            if stop.is_set():
                self._save(trainer)
                raise Interrupted
            with context.exclusive.training():
                epoch = trainer.run_epoch()
            if not self._leases.holds(trial.number):
                raise Lost
            metrics = context.score(epoch)
            self.history.append(metrics)
            self._record(trainer.epoch, metrics)
            outputs = epoch.outputs
            if context.judges_at_best and self.judged_epoch == trainer.epoch and outputs is not None:
                trainer.keep(outputs)
            if not all(map(math.isfinite, metrics.values())):
                raise FloatingPointError(
                    f"the loss is not finite after epoch {trainer.epoch}; a lower learning_rate may help"
                )
            on_epoch(trial.number, trainer.epoch, metrics)
            if trainer.epoch < context.epochs:
                # If a later epoch is reported already, this one was judged before the crash.
                if context.prunable and trainer.epoch >= max(self._reported, default=0) and trial.should_prune():
                    raise optuna.TrialPruned
                if time.monotonic() - self._saved_at >= self._interval:
                    self._save(trainer)
        if context.judges_at_best:
            outputs = trainer.kept_outputs
        self.outputs = outputs
        measures = context.measure(trainer, outputs, self.history[self.judged_epoch - 1])
        self._runs.log_metrics(self._run_id, costs(measures), context.epochs)
        return measures

    @property
    def judged_epoch(self) -> int:
        """The epoch (1-based) by which the trial is judged so far: the best one for tables, the last one for images."""
        return self._judged(len(self.history))

    def _judged(self, epoch: int) -> int:
        """The epoch by which the trial was judged after so many."""
        context = self._job.context
        if not context.judges_at_best:
            return epoch
        by = context.judged_by
        return 1 + int(np.argmin([by.sign * metrics[by.key] for metrics in self.history[:epoch]]))

    def _is_over(self, deadline: float) -> bool:
        """Return whether the trial may be judged now, and a better epoch is unlikely or comes too late."""
        context, n = self._job.context, len(self.history)
        if not context.judges_at_best or n == 0:
            return False
        return n - self.judged_epoch >= context.patience or time.monotonic() > deadline

    def forget(self) -> None:
        """Remove the checkpoint of a trial that has ended; most end before they need one, and a server is not asked."""
        if self._may_have_checkpoint:
            self._checkpoints.remove(self._run_id)

    def _record(self, epoch: int, metrics: EpochMetrics) -> None:
        self._runs.log_metrics(self._run_id, metrics, epoch)
        context = self._job.context
        if context.prunable and epoch not in self._reported:
            judged = self.history[self._judged(epoch) - 1]
            self._job.trial.report(judged[context.objectives[0].key], epoch)

    def _restore(self, trainer: FoldedTrainer) -> None:
        if not self._job.began:
            return
        problem: Exception | None = None
        try:
            for path in self._checkpoints.found(self._run_id):
                try:
                    self.history = load_checkpoint(path, trainer, self._key)
                    break
                except CheckpointError as error:
                    problem = error
        except OSError as error:
            problem = error
        if problem and not self.history:
            logger.warning("Trial %d starts from its first epoch: %s", self._job.trial.number, problem)
        for epoch, metrics in enumerate(self.history, 1):
            self._record(epoch, metrics)

    def _save(self, trainer: FoldedTrainer) -> None:
        begun = time.monotonic()
        self._may_have_checkpoint = True
        try:
            self._checkpoints.save(
                self._run_id, trainer.epoch, lambda path: save_checkpoint(path, trainer, self.history, self._key)
            )
        except OSError as error:
            logger.warning("Trial %d goes on without a checkpoint: %s", self._job.trial.number, error)
        self._saved_at = time.monotonic()
        self._interval = max(self._checkpoints.seconds, _TRAINING_PER_SAVING * (self._saved_at - begun))


def costs(measures: Mapping[str, float]) -> dict[str, float]:
    """The measures that are no metrics of an epoch, under their names on the trial's run."""
    return {cost.key: measures[name] for name, cost in COSTS.items() if name in measures}
