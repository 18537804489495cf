"""Classification: class numbers as targets, probabilities as outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from steps.datasets import Split
from steps.tasks.classification import baselines as _baselines
from steps.tasks.classification import metrics as _metrics
from steps.tasks.classification.comparison import McNemar
from steps.tasks.metric import Interval, Metric

_Z = 1.96


@dataclass(frozen=True)
class Classification:
    """The `Task` of predicting one of several classes.

    Attributes:
        class_names: One per column of the outputs.
        feature_max: Largest value of a feature; the baselines scale by it.
    """

    class_names: tuple[str, ...]
    feature_max: float = 1.0

    name = "classification"

    @property
    def n_outputs(self) -> int:
        return len(self.class_names)

    @property
    def primary(self) -> Metric:
        return _metrics.ACCURACY

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return _metrics.METRICS

    @property
    def epoch_metrics(self) -> tuple[Metric, ...]:
        return _metrics.ACCURACY, _metrics.LOG_LOSS

    def test_scores(self, targets: np.ndarray, outputs: np.ndarray) -> dict[str, Interval]:
        return {name: metric.measure(targets, outputs) for name, metric in self.metrics.items()}

    def streamed(self) -> _metrics.StreamedMetrics:
        return _metrics.StreamedMetrics(self.n_outputs)

    def interval(self, value: float, n: int) -> tuple[float, float]:
        """Wilson interval of an accuracy."""
        return _metrics.wilson_interval(round(value * n), n)

    def is_noise(self, first: float, second: float, n: int) -> bool:
        """Whether two accuracies are within the 95 % interval of their difference (Agresti & Caffo, 2000).

        Both are taken as independent. Two models are judged on the same rows and make partly the same mistakes, so
        a difference can be real and still be called noise, hardly the other way round.
        """
        smoothed = [(accuracy * n + 1) / (n + 2) for accuracy in (first, second)]
        deviation = math.sqrt(sum(share * (1 - share) / (n + 2) for share in smoothed))
        return abs(smoothed[0] - smoothed[1]) <= _Z * deviation

    def baselines(self, train: Split, test: Split) -> dict[str, np.ndarray]:
        return _baselines.baselines(train, test, self.n_outputs, self.feature_max)

    def compare(self, targets: np.ndarray, challenger: np.ndarray, champion: np.ndarray) -> McNemar:
        return McNemar.of(targets, challenger.argmax(1), champion.argmax(1))

    def report(self, targets: np.ndarray, outputs: np.ndarray) -> str:
        """Precision, recall, F1 and support of each class."""
        from sklearn.metrics import classification_report

        return str(
            classification_report(
                targets, outputs.argmax(1), labels=range(self.n_outputs), target_names=self.class_names,
                digits=4, zero_division=0,
            )
        )  # fmt: skip
