"""Classification: class numbers as targets, probabilities as outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from steps.datasets import Split
from steps.datasets.tabular.target import Target
from steps.tasks.baselines import PLAIN, Boosted, Features
from steps.tasks.classification import baselines as _baselines
from steps.tasks.classification import metrics as _metrics
from steps.tasks.classification.calibration import TEMPERATURE, fitted_temperature
from steps.tasks.classification.comparison import McNemar
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
    def positive(self) -> int | None:
        """Number of the class that is asked for, of two; by default the second. None of several."""
        names = self.target.class_names
        if len(names) > 2:
            return None
        return names.index(self.target.positive_class) if self.target.positive_class else 1

    @property
    def primary(self) -> Metric:
        """Accuracy for images and for several classes, else ROC AUC."""
        if self.positive is None or self.features.is_image:
            return _metrics.ACCURACY
        return _metrics.roc_auc_of(self.positive)

    @property
    def metrics(self) -> Mapping[str, Metric]:
        known = _metrics.SEVERAL_CLASSES if self.positive is None else _metrics.two_classes(self.positive)
        return {self.primary.name: self.primary, **known}

    @property
    def epoch_metrics(self) -> tuple[Metric, ...]:
        return tuple(dict.fromkeys((self.primary, _metrics.ACCURACY, _metrics.LOG_LOSS)))

    def test_scores(self, targets: np.ndarray, outputs: np.ndarray) -> dict[str, Interval]:
        return {name: metric.measure(targets, outputs) for name, metric in self.metrics.items()}

    def calibration(self, targets: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        return {TEMPERATURE: fitted_temperature(targets, outputs)}

    def streamed(self) -> StreamedMetrics:
        return StreamedMetrics(len(self.target.class_names), self.positive, self.primary)

    def baselines(self, train: Split, test: Split) -> dict[str, np.ndarray]:
        return _baselines.baselines(train, test, len(self.target.class_names), self.features)

    def boosting(self, train: Split, test: Split) -> Boosted | None:
        return _baselines.boosting(train, test, len(self.target.class_names), self.features)

    def compare(self, targets: np.ndarray, challenger: np.ndarray, champion: np.ndarray) -> Comparison:
        """By DeLong's test if ROC AUC is the primary metric, else by McNemar's."""
        if self.positive is None or self.features.is_image:
            return McNemar.of(targets, challenger.argmax(1), champion.argmax(1))
        return DeLong.of(targets == self.positive, challenger[:, self.positive], champion[:, self.positive])

    def report(self, targets: np.ndarray, outputs: np.ndarray) -> str:
        """Precision, recall, F1 and support of each class."""
        from sklearn.metrics import classification_report

        names = self.target.class_names
        return str(
            classification_report(
                targets, outputs.argmax(1), labels=range(len(names)), target_names=names, digits=4, zero_division=0
            )
        )
