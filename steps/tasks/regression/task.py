"""Regression: numbers as targets and as outputs, both in the target's own units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from steps.datasets import Split
from steps.datasets.tabular.target import Target
from steps.tasks.baselines import PLAIN, Boosted, Features
from steps.tasks.metric import Interval, Metric, significant
from steps.tasks.regression import baselines as _baselines
from steps.tasks.regression import conformal
from steps.tasks.regression import metrics as _metrics
from steps.tasks.regression.comparison import SignFlip
from steps.tasks.regression.streamed import StreamedMetrics

_QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)


@dataclass(frozen=True)
class Regression:
    """The `Task` of predicting a number."""

    target: Target
    features: Features = PLAIN

    name = "regression"

    @property
    def primary(self) -> Metric:
        return _metrics.RMSE

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Percentage errors only if the training targets are all above or all below 0."""
        is_relative = self.target.low > 0 or self.target.high < 0
        return {**_metrics.METRICS, **({_metrics.PERCENTAGE.name: _metrics.PERCENTAGE} if is_relative else {})}

    @property
    def epoch_metrics(self) -> tuple[Metric, ...]:
        return _metrics.RMSE, _metrics.METRICS["mae"]

    def test_scores(self, targets: np.ndarray, outputs: np.ndarray) -> dict[str, Interval]:
        return {name: metric.measure(targets, outputs) for name, metric in self.metrics.items()}

    def calibration(self, targets: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        """The half width of the prediction intervals."""
        interval = conformal.fitted(self.target, targets, outputs)
        return interval.as_measures() if interval else {}

    def prediction_sets(self, targets: np.ndarray, outputs: np.ndarray) -> None:
        """None: numbers have intervals."""

    def responses(self, outputs: np.ndarray) -> dict[str, np.ndarray]:
        return {self.target.name or "prediction": outputs[:, 0]}

    def errors(self, targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """Absolute errors."""
        found: np.ndarray = np.abs(_metrics.residuals(targets, outputs))
        return found

    def mean_error_text(self, value: float) -> str:
        return f"mean absolute error {significant(value)}"

    def streamed(self) -> StreamedMetrics:
        return StreamedMetrics()

    def baselines(self, train: Split, test: Split) -> dict[str, np.ndarray]:
        return _baselines.baselines(train, test, self.features)

    def boosting(self, train: Split, test: Split) -> Boosted | None:
        return _baselines.boosting(train, test, self.features)

    def compare(self, targets: np.ndarray, challenger: np.ndarray, champion: np.ndarray) -> SignFlip:
        return SignFlip.of(targets, challenger, champion)

    def report(self, targets: np.ndarray, outputs: np.ndarray) -> str:
        """Quantiles of targets, predictions and absolute errors."""
        columns = {
            "target": targets,
            "predicted": outputs[:, 0],
            "absolute error": np.abs(_metrics.residuals(targets, outputs)),
        }
        lines = ["".join(f"{heading:>16}" for heading in ("quantile", *columns))]
        quantiles = [np.quantile(values, _QUANTILES) for values in columns.values()]
        for i, share in enumerate(_QUANTILES):
            lines.append("".join(f"{text:>16}" for text in (f"{share:.0%}", *(significant(q[i]) for q in quantiles))))
        return "\n".join(lines) + "\n"
