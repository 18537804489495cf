"""The context that all trials share, that of the process that runs them, and the job of a single one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import optuna

from steps.datasets import Dataset
from steps.datasets.interface import Interface
from steps.mlp.config import MLPConfig, Precision, inapplicable
from steps.mlp.folds import FoldedTrainer
from steps.mlp.graphs import Graphs
from steps.mlp.latency import median_latency_ms
from steps.mlp.trainer import Epoch, Samples, Trainer
from steps.search.space.space import Space
from steps.search.store.leases import Leases
from steps.search.trials.checkpoints import Checkpoints
from steps.search.trials.exclusive import ExclusiveSection
from steps.tasks.metric import as_metrics, mean_of
from steps.tasks.objectives import AUTO, LATENCY, PARAMETERS, Objective, followed, judged_by, objectives_of
from steps.tasks.task import Task, task_of
from steps.tracking.trials import TrialRuns

_LEAST_PATIENCE = 16  # epochs


@dataclass(frozen=True)
class TrialContext:
    """Data and settings that all trials of a study share.

    Attributes:
        folds: Training and validation samples of each fold, one copy for all threads; one pair for a holdout.
        epochs: Budget of a trial that is not pruned.
        seed: Seed of every trial: its result depends on config, seed, data and threads only.
        threads: Threads of each trial, which train its folds side by side, or share the batches of its one split.
        objectives: In the order of the study's directions.
        exclusive: Holds the other trials while one measures its latency.
        graphs: Graphs of the data, used again by trials of equal structure.
    """

    dataset: Dataset
    folds: tuple[tuple[Samples, Samples], ...]
    space: Space
    epochs: int
    seed: int
    precision: Precision
    threads: int
    objectives: tuple[Objective, ...]
    exclusive: ExclusiveSection = field(default_factory=ExclusiveSection)
    graphs: Graphs = field(default_factory=Graphs)

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        *,
        space: Space,
        epochs: int,
        seed: int = 0,
        precision: Precision = "float32",
        threads: int = 1,
        objectives: Sequence[str] = (AUTO,),
    ) -> Self:
        """The context of a study of a data set with its splits or folds for a search.

        Args:
            objectives: Names, see `objectives_of`; hyperparameters that mean nothing for the data are fixed.

        Raises:
            InputError: An objective that the task does not have.
        """
        return cls(
            dataset=dataset,
            folds=tuple((Samples.of(train), Samples.of(validation)) for train, validation in dataset.folds),
            space=space.fixing(inapplicable(Interface.of(dataset))),
            epochs=epochs,
            seed=seed,
            precision=precision,
            threads=threads,
            objectives=objectives_of(objectives, task_of(dataset)),
        )

    @property
    def task(self) -> Task:
        return task_of(self.dataset)

    @property
    def primary(self) -> Objective:
        """The primary metric of the task, whether or not it is an objective of the study."""
        return Objective.of(self.task.primary)

    @property
    def followed(self) -> Objective:
        """The objective that is shown while a trial trains."""
        return followed(self.objectives, self.task)

    @property
    def judged_by(self) -> Objective:
        """The metric that decides which epoch of a trial is its best."""
        return judged_by(self.objectives, self.task)

    @property
    def n_validation(self) -> int:
        """Number of validation rows, of all folds."""
        return sum(len(validation) for _, validation in self.dataset.folds)

    @property
    def judges_at_best(self) -> bool:
        """Return whether a trial is judged at its best epoch, as an MLP soon knows the rows of a table by heart.

        Images are judged at the last epoch, where the learning rate has come to its end.
        """
        return self.dataset.image_shape is None

    @property
    def patience(self) -> int:
        """Epochs without a better one after which a trial ends, if trials are judged at their best epoch."""
        return max(_LEAST_PATIENCE, self.epochs // 4)

    def trainer(self, config: MLPConfig) -> FoldedTrainer:
        interface = Interface.of(self.dataset)
        trainers = [
            Trainer(
                config,
                train,
                validation,
                interface=interface,
                epochs=self.epochs,
                seed=self.seed,
                precision=self.precision,
                threads=self.threads if len(self.folds) == 1 else 1,
                graphs=self.graphs,
            )
            for train, validation in self.folds
        ]
        n_kept = self.n_validation if self.judges_at_best else 0
        return FoldedTrainer(trainers, n_kept=n_kept, threads=self.threads)

    @property
    def prunable(self) -> bool:
        """Return whether Optuna can judge trials by their epochs: it cannot with several objectives."""
        return len(self.objectives) == 1 and self.objectives[0].every_epoch

    def score(self, epoch: Epoch) -> dict[str, float]:
        """Metrics of an epoch by their names on the trial's run, `train_loss` and `val_<metric>`: means over folds."""
        metrics = [*self.task.epoch_metrics, *(self.task.metrics[o.name] for o in self.objectives if o.every_epoch)]
        assert epoch.outputs is not None
        folds = self._by_fold(epoch.outputs)
        means = {f"val_{m.name}": float(np.mean([m.value(*fold) for fold in folds])) for m in metrics}
        return {"train_loss": epoch.train_loss} | means

    def measure(
        self, trainer: FoldedTrainer, outputs: np.ndarray | None, metrics: Mapping[str, float]
    ) -> dict[str, float]:
        """Value by name of each metric and cost of a trial that is trained to the end; latency only as an objective.

        The primary metric has its 95 % interval, `<metric>_low` and `<metric>_high`, if there is one.

        Args:
            outputs: For the validation rows, after the epoch by which the trial is judged.
            metrics: Those of that epoch, as `score` gives them.
        """
        assert outputs is not None
        primary = self.task.primary
        folds = self._by_fold(outputs)
        score = mean_of([primary.measure(*fold) for fold in folds])
        measures = {key.removeprefix("val_"): value for key, value in metrics.items() if key.startswith("val_")}
        measures = as_metrics({primary.name: score}, "") | measures
        measures |= self.task.calibration(*(np.concatenate(parts) for parts in zip(*folds, strict=True)))
        measures[PARAMETERS.name] = float(trainer.model.count_params())
        if LATENCY in self.objectives:
            with self.exclusive.measuring():
                measures[LATENCY.name] = median_latency_ms(trainer.model, self.dataset.folds[0][1].features[:1])
        return measures

    def _by_fold(self, outputs: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Targets and outputs of the validation rows of each fold."""
        targets = [np.asarray(validation.targets) for _, validation in self.dataset.folds]
        ends = np.cumsum([len(part) for part in targets])[:-1]
        return list(zip(targets, np.split(outputs, ends), strict=True))


@dataclass(frozen=True)
class WorkerContext:
    """Everything that one process runs the trials of a study with.

    Attributes:
        context: Shared by all trials.
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
        fault: Why it cannot be run, if it was enqueued with what the space does not have; else empty.
    """

    context: TrialContext
    trial: optuna.Trial
    hyperparameters: Mapping[str, Any]
    began: bool
    fault: str = ""
