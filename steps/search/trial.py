"""One trial: suggested, trained, reported on both sides, ended."""

from __future__ import annotations

import json
import logging
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.trial import TrialState

from steps.datasets import Dataset
from steps.mlp.config import MLPConfig, Precision
from steps.mlp.latency import median_latency_ms
from steps.mlp.objectives import OBJECTIVES, Objective
from steps.mlp.trainer import EpochMetrics, Samples, Trainer
from steps.search.quiet import Quiet
from steps.search.space import Space
from steps.tracking.trials import TrialRuns

logger = logging.getLogger(__name__)

RUN_STATUS = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED", TrialState.FAIL: "FAILED"}
# User attributes of the Optuna trial.
RUN_ID, HYPERPARAMETERS, MEASURES, ERROR = "mlflow.run_id", "hyperparameters", "measures", "error"
INTERRUPTED = "interrupted"
_MAX_ERROR = 500  # characters

OnEpoch = Callable[[int, int, EpochMetrics], None]  # trial number, epoch (1-based), its metrics


@dataclass(frozen=True)
class Task:
    """What all trials of a study share.

    Attributes:
        train, validation: The samples, one copy for all threads.
        epochs: Budget of a trial that is not pruned.
        seed: Seed of every trial, so that its result depends on config, seed and data only.
        objectives: What is optimized, in the order of the study's directions.
        quiet: Holds the other trials while one measures its latency.
    """

    dataset: Dataset
    train: Samples
    validation: Samples
    space: Space
    epochs: int
    seed: int
    precision: Precision
    objectives: tuple[Objective, ...]
    quiet: Quiet = field(default_factory=Quiet)

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

    @property
    def prunable(self) -> bool:
        """Whether Optuna can judge trials by their epochs: it cannot with several objectives."""
        return len(self.objectives) == 1 and self.objectives[0].every_epoch

    def measure(self, trainer: Trainer, metrics: EpochMetrics) -> dict[str, float]:
        """Value of each objective by its name, of a trial that is trained to the end; latency only where asked for."""
        measures = {
            "accuracy": metrics.val_accuracy,
            "log_loss": metrics.val_loss,
            "parameters": float(trainer.model.count_params()),
        }
        if any(objective.name == "latency" for objective in self.objectives):
            with self.quiet.measuring():
                measures["latency"] = median_latency_ms(trainer.model, self.validation.features[:1])
        return measures


class Interrupted(Exception):
    """The person stopped the study while this trial was running."""


def run_trial(
    task: Task,
    study: optuna.Study,
    trial: optuna.Trial,
    hyperparameters: Mapping[str, Any],
    runs: TrialRuns,
    stop: threading.Event,
    on_epoch: OnEpoch,
) -> optuna.trial.FrozenTrial:
    """Train one trial to its end, whatever that is, and record it in the study and in its child run.

    Args:
        stop: Set when the person interrupts; the trial then ends as failed after its epoch.
        on_epoch: Called after each epoch.
    """
    run_id = runs.create(
        f"trial-{trial.number:03d}",
        hyperparameters,
        {"optuna.study": study.study_name, "optuna.trial_number": trial.number, "optuna.state": "RUNNING"},
    )
    trial.set_user_attr(RUN_ID, run_id)
    values, error = None, ""
    try:
        measures = _train(task, trial, hyperparameters, runs, run_id, stop, on_epoch)
        trial.set_user_attr(MEASURES, measures)
        values = [measures[objective.name] for objective in task.objectives]
        state = TrialState.COMPLETE
    except optuna.TrialPruned:
        state = TrialState.PRUNED
    except Interrupted:
        state, error = TrialState.FAIL, INTERRUPTED
    except _trial_errors() as problem:
        state, error = TrialState.FAIL, f"{type(problem).__name__}: {' '.join(str(problem).split())}"[:_MAX_ERROR]
        logger.warning("Trial %d failed: %s", trial.number, error)
    if error:
        trial.set_user_attr(ERROR, error)
    finished = study.tell(trial, values, state)
    runs.end(run_id, RUN_STATUS[state], {"optuna.state": state.name} | ({ERROR: error} if error else {}))
    return finished


def _train(
    task: Task,
    trial: optuna.Trial,
    hyperparameters: Mapping[str, Any],
    runs: TrialRuns,
    run_id: str,
    stop: threading.Event,
    on_epoch: OnEpoch,
) -> dict[str, float]:
    """What the trained MLP measures."""
    trainer = task.trainer(MLPConfig.from_hyperparameters(hyperparameters))
    for epoch in range(1, task.epochs + 1):
        if stop.is_set():
            raise Interrupted
        with task.quiet.training():
            metrics = trainer.run_epoch()
        runs.log_metrics(run_id, vars(metrics), epoch)
        if not (math.isfinite(metrics.train_loss) and math.isfinite(metrics.val_loss)):
            raise FloatingPointError(f"the loss is not finite after epoch {epoch}; a lower learning_rate may help")
        on_epoch(trial.number, epoch, metrics)
        if task.prunable:
            trial.report(getattr(metrics, task.objectives[0].metric), epoch)
            if epoch < task.epochs and trial.should_prune():
                raise optuna.TrialPruned
    measures = task.measure(trainer, metrics)
    costs = {OBJECTIVES[name].metric: measures[name] for name in ("parameters", "latency") if name in measures}
    runs.log_metrics(run_id, costs, task.epochs)
    return measures


def suggest(task: Task, trial: optuna.Trial) -> dict[str, Any]:
    """The trial's hyperparameters; also kept in the study, where a space that changes later cannot change them."""
    hyperparameters = task.space.suggest(trial)
    trial.set_user_attr(HYPERPARAMETERS, json.dumps(hyperparameters))
    return hyperparameters


def _trial_errors() -> tuple[type[Exception], ...]:
    """What a config can do wrong while it trains; a fault of the storage or of tracking is none of these."""
    import tensorflow as tf

    return (tf.errors.OpError, ValueError, TypeError, ArithmeticError, MemoryError)
