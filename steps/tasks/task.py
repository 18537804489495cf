"""The task as one object: everything that differs between one kind of target and another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from steps.datasets import Dataset, Split
from steps.datasets.interface import Interface
from steps.datasets.tabular.sets import PredictionSets
from steps.datasets.tabular.target import Target
from steps.tasks.baselines import Boosted, Features
from steps.tasks.classification.metrics import ACCURACY, roc_auc_of
from steps.tasks.classification.task import Classification
from steps.tasks.comparison import Comparison
from steps.tasks.metric import Interval, Metric
from steps.tasks.regression.metrics import RMSE
from steps.tasks.regression.task import Regression

PRIMARY_METRICS = (ACCURACY, roc_auc_of(1), RMSE)  # of all tasks


class StreamedScores(Protocol):
    """MLflow's metrics of rows that come in chunks."""

    def add(self, targets: np.ndarray, outputs: np.ndarray) -> None: ...

    def result(self) -> dict[str, float]:
        """The metrics of all rows so far; empty before the first."""

    def primary(self) -> Interval | None:
        """The primary metric of all rows so far, with its interval; None if these rows have none."""

    def summary(self) -> str:
        """The primary metric of all rows so far, for texts."""


class Task(Protocol):
    """A kind of prediction: its metrics, baselines and comparisons.

    Targets are (n,), outputs (n, n_outputs) as the Keras model gives them.
    """

    @property
    def name(self) -> str:
        """Name on runs; key of the sections of reports."""

    @property
    def primary(self) -> Metric:
        """The default objective of a study; promotion compares by it."""

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """All metrics by name, the primary one first."""

    @property
    def epoch_metrics(self) -> tuple[Metric, ...]:
        """Those that every study computes after each epoch, the primary one first."""

    def test_scores(self, targets: np.ndarray, outputs: np.ndarray) -> dict[str, Interval]:
        """All metrics by name, with their intervals."""

    def calibration(self, targets: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        """Measures of a trial that its registered model needs, fitted on validation rows; empty if it needs none."""

    def prediction_sets(self, targets: np.ndarray, outputs: np.ndarray) -> PredictionSets | None:
        """The prediction sets of a model, fitted on validation rows; None if it cannot state any."""

    def responses(self, outputs: np.ndarray) -> Mapping[str, np.ndarray]:
        """(n,) numbers that people follow, by name: the prediction, or probabilities of classes."""

    def errors(self, targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """(n,) errors of single rows, of which a mean makes sense."""

    def mean_error_text(self, value: float) -> str:
        """The mean of such errors, for texts."""

    def streamed(self) -> StreamedScores:
        """MLflow's own metrics, by its names, of rows that come in chunks."""

    def baselines(self, train: Split, test: Split) -> dict[str, np.ndarray]:
        """Outputs of each simple baseline for the test rows, fitted on the training rows.

        The first one looks at no feature, and a model must beat it; the others must not beat the model beyond chance.
        """

    def boosting(self, train: Split, test: Split) -> Boosted | None:
        """Boosted trees on the test rows, fitted on the training rows or a sample of them; None for images."""

    def compare(self, targets: np.ndarray, challenger: np.ndarray, champion: np.ndarray) -> Comparison:
        """Compare the outputs of two models for the same rows by the primary metric."""

    def report(self, targets: np.ndarray, outputs: np.ndarray) -> str:
        """The scores in detail, as a table in text."""


_TASKS: dict[str, Callable[[Target, Features], Task]] = {"classification": Classification, "regression": Regression}


def primary_named(name: str) -> Metric | None:
    """The primary metric of this name, of whatever task; None if there is none."""
    return next((metric for metric in PRIMARY_METRICS if metric.name == name), None)


def task_of(data: Dataset | Interface) -> Task:
    """The task that a data set poses, or that a model solves."""
    return _TASKS[data.target.task](data.target, Features.of(data))
