"""Classification: class numbers as targets, probabilities as outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from steps.datasets import Split
from steps.datasets.tabular.predictions import decided
from steps.datasets.tabular.sets import PredictionSets
from steps.datasets.tabular.target import Target
from steps.tasks.baselines import PLAIN, Boosted, Features
from steps.tasks.classification import baselines as _baselines
from steps.tasks.classification import metrics as _metrics
from steps.tasks.classification.calibration import TEMPERATURE, fitted_temperature
from steps.tasks.classification.comparison import McNemar
from steps.tasks.classification.conformal import fitted_sets
from steps.tasks.classification.costs import with_costs
from steps.tasks.classification.delong import DeLong
from steps.tasks.classification.streamed import StreamedMetrics
from steps.tasks.comparison import Comparison
from steps.tasks.metric import Interval, Metric


@dataclass(frozen=True)
class Classification:
    """The `Task` of predicting one of several classes, at least two."""

    target: Target
    features: Features = PLAIN

    name = "classification"

    @property
    def _known(self) -> Mapping[str, Metric]:
        positive, decision = self.target.positive, self.target.decision
        if positive is None:
            return _metrics.SEVERAL_CLASSES
        return _metrics.two_classes(positive) if decision is None else with_costs(self.target)

    @property
    def primary(self) -> Metric:
        """Accuracy for images and for several classes, else ROC AUC."""
        is_ranked = self.target.positive is not None and not self.features.is_image
        return self._known["roc_auc" if is_ranked else "accuracy"]

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return {self.primary.name: self.primary, **self._known}

    @property
    def epoch_metrics(self) -> tuple[Metric, ...]:
        return tuple(dict.fromkeys((self.primary, _metrics.ACCURACY, _metrics.LOG_LOSS)))

    def test_scores(self, targets: np.ndarray, outputs: np.ndarray) -> dict[str, Interval]:
        return {name: metric.measure(targets, outputs) for name, metric in self.metrics.items()}

    def calibration(self, targets: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        return {TEMPERATURE: fitted_temperature(targets, outputs)}

    def prediction_sets(self, targets: np.ndarray, outputs: np.ndarray) -> PredictionSets | None:
        return fitted_sets(targets, outputs)

    def responses(self, outputs: np.ndarray) -> dict[str, np.ndarray]:
        """The probability of the positive class of two, or of each class."""
        names = self.target.class_names
        if (positive := self.target.positive) is not None:
            return {f"probability of {names[positive]}": outputs[:, positive]}
        return {name: outputs[:, i] for i, name in enumerate(names)}

    def errors(self, targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """1 if the predicted class is wrong, else 0."""
        wrong: np.ndarray = decided(outputs, self.target) != targets
        return wrong.astype(float)

    def mean_error_text(self, value: float) -> str:
        return f"{100 * value:.1f} % wrong"

    def streamed(self) -> StreamedMetrics:
        return StreamedMetrics(self.target, self.primary)

    def baselines(self, train: Split, test: Split) -> dict[str, np.ndarray]:
        return _baselines.baselines(train, test, len(self.target.class_names), self.features)

    def boosting(self, train: Split, test: Split) -> Boosted | None:
        return _baselines.boosting(train, test, len(self.target.class_names), self.features)

    def compare(self, targets: np.ndarray, challenger: np.ndarray, champion: np.ndarray) -> Comparison:
        """By DeLong's test if ROC AUC is the primary metric, else by McNemar's."""
        positive = self.target.positive
        if positive is None or self.features.is_image:
            return McNemar.of(targets, *(decided(outputs, self.target) for outputs in (challenger, champion)))
        return DeLong.of(targets == positive, challenger[:, positive], champion[:, positive])

    def report(self, targets: np.ndarray, outputs: np.ndarray) -> str:
        """Precision, recall, F1 and support of each class."""
        from sklearn.metrics import classification_report

        names, predicted = self.target.class_names, decided(outputs, self.target)
        return str(
            classification_report(
                targets, predicted, labels=range(len(names)), target_names=names, digits=4, zero_division=0
            )
        )
