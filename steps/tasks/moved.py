"""The primary metric on new rows against that on the test rows: has it moved, or is that noise?"""

from __future__ import annotations

from dataclasses import dataclass

from steps.tasks.metric import Interval, Metric, as_metrics, p_value_of

_ALPHA = 0.05


@dataclass(frozen=True)
class Moved:
    """The primary metric of a model on new rows with labels, and as it was on its test rows.

    Attributes:
        n: Number of the new rows that have a label.
        test: None if it is not on record.
    """

    metric: Metric
    n: int
    score: Interval
    test: Interval | None

    @property
    def p_value(self) -> float | None:
        """Of the hypothesis that the metric has not moved; None if an interval is unknown."""
        return p_value_of(self.score, self.test) if self.test else None

    def as_metrics(self) -> dict[str, float]:
        """Metrics of the predict run: the score with its interval and, if there is one, the p-value."""
        p_value = {} if self.p_value is None else {f"{self.metric.name}_moved_p_value": self.p_value}
        return as_metrics({self.metric.name: self.score}, "") | p_value

    def text(self) -> str:
        """The comparison in one sentence; "" without a score on the test rows, or without intervals."""
        if self.test is None or self.p_value is None:
            return ""
        metric = self.metric
        word = "better" if metric.is_better(self.score.value, self.test.value) else "worse"
        verdict = f"{word} beyond noise" if self.p_value < _ALPHA else "within noise"
        p_value = f"p = {self.p_value:.2g}" if self.p_value >= 1e-6 else "p < 0.000001"
        return (
            f"{metric.title} {metric.text(self.score.value)} on these {self.n:,} rows, "
            f"{metric.text(self.test.value)} on the test rows: {verdict} ({p_value})"
        )
