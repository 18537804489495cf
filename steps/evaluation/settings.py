"""The settings of an evaluate run, checked before anything runs; without TensorFlow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from steps.base.errors import InputError
from steps.datasets import Dataset
from steps.datasets.interface import Interface
from steps.datasets.tabular.decision import Costs, Decision
from steps.datasets.tabular.target import Target
from steps.evaluation.choice import Choice
from steps.mlp.config import MLPConfig
from steps.search.selection import AUTO, by_number
from steps.search.store.outputs import N_KEPT
from steps.search.store.records import ARTIFACT, BEST_CONFIG, SelectedTrial, TrialRecord, from_json
from steps.tasks.classification.costs import least_cost, parse_costs
from steps.tasks.requirements import Requirement, check_names, parse_requirements
from steps.tasks.task import task_of
from steps.tracking.artifacts import read_artifact
from steps.tracking.model_uris import check_model_name
from steps.tracking.promotion import Policy
from steps.tracking.registry import check_compatible
from steps.tracking.runs import experiment_id, get_step_run, newest_run

_IMAGE_EPOCHS, _IMAGE_BATCH = 100, 256
_ALIKE, _ALIKE_IF_DISTORTED = 5, 20  # times the epochs of the trial


@dataclass(frozen=True)
class Budget:
    """Length of a training.

    Attributes:
        epochs: Number of epochs.
        schedule: Number of epochs of the learning rate schedule; at least `epochs`.
    """

    epochs: int
    schedule: int


@dataclass(frozen=True)
class EvaluateSettings:
    """Settings of an evaluate run.

    Attributes:
        tune_run_id: A finished tune run; empty for the newest.
        select: `auto`, or the number of a complete trial.
        ensemble: Networks of the model, and most trials that are mixed; 1 for the selected trial alone.
        final_epochs: Epochs of the final training; 0 for the default for the data.
        model_name: Name of the registered model; empty for `<dataset>-mlp`.
        costs: Costs of the two errors of two classes; None to predict the more probable class.
        alpha: Significance level of the comparison with the champion, in (0, 1).
    """

    tune_run_id: str
    select: str
    ensemble: int
    final_epochs: int
    model_name: str
    require: tuple[Requirement, ...]
    costs: Costs | None
    alpha: float
    promote: Policy
    precision: str
    seed: int

    @classmethod
    def parse(cls, **options: Any) -> Self:
        """Check the options of `evaluate` as far as possible without a tune run.

        Raises:
            InputError: A requirement or the costs are malformed, the name of the model is invalid, or a mixture of one
                selected trial is asked for.
        """
        if options["ensemble"] > 1 and options["select"] != AUTO:
            raise InputError(
                f"ensemble must be 1 with select={options['select']}, which names a single trial, got "
                f"{options['ensemble']}"
            )
        if options["model_name"]:
            check_model_name(options["model_name"])
        parsed = {"require": parse_requirements(options["require"]), "costs": parse_costs(options["costs"])}
        return cls(**{**options, **parsed})

    def budget(self, dataset: Dataset, trial: TrialRecord) -> Budget:
        """Budget of the final training.

        By default as many epochs as scored the trial for tables. For images as many as a trial has, but at least 100
        with batches of 256 images, 50 with batches of 64, whose epochs have more updates and take longer.
        """
        if self.final_epochs:
            return Budget(self.final_epochs, self.final_epochs)
        if dataset.image_shape:
            batch_size = MLPConfig.from_hyperparameters(trial.hyperparameters).batch_size
            least = round(_IMAGE_EPOCHS * math.sqrt(min(1, batch_size / _IMAGE_BATCH)))
            epochs = max(least, trial.max_epochs)
            return Budget(epochs, epochs)
        return Budget(trial.epochs, trial.max_epochs)

    def trains_alike(self, dataset: Dataset, trial: TrialRecord) -> bool:
        """Return whether the final network is about as sure of itself as that of the trial.

        Much longer trainings make it surer: sooner, if every epoch has the same rows.
        """
        is_distorted = MLPConfig.from_hyperparameters(trial.hyperparameters).augmentation != "none"
        most = trial.epochs * (_ALIKE_IF_DISTORTED if is_distorted else _ALIKE)
        return self.budget(dataset, trial).epochs <= most

    def registered_name(self, dataset: Dataset) -> str:
        """The name under which a model of this data set is registered, once the settings are checked against it.

        Raises:
            InputError: The task cannot measure a requirement, there are costs but not two classes, or existing versions
                have other classes or another shape.
        """
        check_names(self.require, task_of(dataset.with_decision(self._expected_decision(dataset))))
        name = self.model_name or f"{dataset.name}-mlp"
        check_model_name(name)
        check_compatible(name, Interface.of(dataset))
        return name

    def _expected_decision(self, dataset: Dataset) -> Decision | None:
        """The decision by the costs if the probabilities are right; None without costs."""
        if self.costs and dataset.target.positive is None:
            given = f"{len(dataset.target.class_names)} classes" if dataset.target.class_names else "numbers"
            raise InputError(f"costs must be empty unless the target has two classes, got {self.costs} for {given}")
        return Decision(self.costs.threshold, self.costs) if self.costs else None

    def decision(self, target: Target, rows: tuple[np.ndarray, np.ndarray] | None) -> Decision | None:
        """The threshold with the least cost on the validation rows; None without costs.

        Args:
            rows: As `Choice.validation` gives them.

        Raises:
            InputError: The outputs for the validation rows are not kept.
        """
        positive = target.positive
        if self.costs is None or positive is None:
            return None
        if rows is None:
            raise InputError(
                f"costs must be empty for a trial that has kept no validation outputs, got {self.costs}; "
                f"select one of the {N_KEPT} best trials"
            )
        targets, outputs = rows
        return least_cost(self.costs, targets == positive, outputs[:, positive])

    def chosen(self) -> Choice:
        """The trial or the trials to evaluate.

        Raises:
            InputError: There is no finished tune run, it has no complete trial with this number, or its trials have
                kept no outputs to mix.
        """
        if self.tune_run_id:
            run = get_step_run(self.tune_run_id, "tune", "tune_run_id")
        elif (newest := newest_run("tune", [experiment_id()])) is not None:
            run = newest
        else:
            raise InputError(
                "tune_run_id must be given if this experiment has no finished tune run; run: mlflow run . -e tune"
            )
        best = read_artifact(run.info.run_id, BEST_CONFIG, SelectedTrial.from_json)
        if self.ensemble > 1:
            return Choice.mixed(run, best, self.ensemble, self.alpha)
        if self.select == AUTO:
            return Choice.single(run, best)
        records = read_artifact(run.info.run_id, ARTIFACT, from_json)
        return Choice.single(run, best.of_record(by_number(records, self.select), "asked for by its number"))
