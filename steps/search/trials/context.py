"""What all trials share, what a process runs them with, and what belongs to a single one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import optuna

from steps.datasets import Dataset
from steps.mlp.config import MLPConfig, Precision
from steps.mlp.latency import median_latency_ms
from steps.mlp.trainer import EpochMetrics, Samples, Trainer
from steps.search.space.space import Space
from steps.search.store.attributes import TrialAttributes, TrialSettings
from steps.search.store.leases import Leases
from steps.search.strategy.samplers import reseed
from steps.search.trials.checkpoints import Checkpoints
from steps.search.trials.exclusive import ExclusiveSection
from steps.tasks.objectives import Objective
from steps.tracking.trials import TrialRuns


@dataclass(frozen=True)
class TrialContext:
    """What all trials of a study share.

    Attributes:
        train, validation: The samples, one copy for all threads.
        epochs: Budget of a trial that is not pruned.
        seed: Seed of every trial, so that its result depends on config, seed and data only.
        objectives: What is optimized, in the order of the study's directions.
        exclusive: Holds the other trials while one measures its latency.
    """

    dataset: Dataset
    train: Samples
    validation: Samples
    space: Space
    epochs: int
    seed: int
    precision: Precision
    objectives: tuple[Objective, ...]
    exclusive: ExclusiveSection = field(default_factory=ExclusiveSection)

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
            with self.exclusive.measuring():
                measures["latency"] = median_latency_ms(trainer.model, self.validation.features[:1])
        return measures


@dataclass(frozen=True)
class WorkerContext:
    """What one process runs the trials of a study with.

    Attributes:
        context: What all trials share.
        runs: Their child runs.
        leases: Which of them are this process's.
    """

    context: TrialContext
    study: optuna.Study
    runs: TrialRuns
    leases: Leases
    checkpoints: Checkpoints


@dataclass(frozen=True)
class Job:
    """One trial to be run or continued.

    Attributes:
        context: With the budget, seed and precision that the trial began with.
        began: Whether an earlier process began it.
    """

    context: TrialContext
    trial: optuna.Trial
    hyperparameters: Mapping[str, Any]
    began: bool


def prepare(context: TrialContext, trial: optuna.Trial) -> Job:
    """Suggest a trial's hyperparameters, or take those that an earlier process suggested.

    They are kept in the study with all else the trial is a function of, so that neither a space nor an
    option that changes later can change a trial that goes on.
    """
    known = TrialAttributes.read(trial)
    if known.hyperparameters is not None and known.settings is not None:
        return Job(replace(context, **asdict(known.settings)), trial, known.hyperparameters, began=True)
    reseed(trial.study.sampler, context.seed, trial.number)
    hyperparameters = context.space.suggest(trial)
    settings = TrialSettings(context.epochs, context.seed, context.precision)
    TrialAttributes(hyperparameters, settings).write(trial.set_user_attr)
    return Job(context, trial, hyperparameters, began=False)
