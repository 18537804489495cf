"""A mixture of trials: their weights and networks, and the gain over the best trial alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from steps.tasks.metric import Interval, Metric


@dataclass(frozen=True)
class Mixture:
    """Trials whose outputs are averaged, as chosen on the validation rows.

    Attributes:
        weights: Trial number -> share of its outputs, above 0; the best trial first. They add up to 1.
        reason: Why these weights, in one clause.
        score: The primary metric of the mixture, as a study measures it.
        alone: That of the best trial.
        p_value: Of the paired test of the two on the same rows.
        test: Name of that test.
        alpha: Significance level of the tests, in (0, 1).
        measures: Measures that the registered model needs, as a trial has them (`Task.calibration`).
        networks: Trial number -> number of its networks, which differ in their seed; empty in a report of a version of
            this project that trained one of each.
    """

    weights: Mapping[int, float]
    reason: str
    score: Interval
    alone: Interval
    p_value: float
    test: str
    alpha: float
    measures: Mapping[str, float]
    networks: Mapping[int, int] = field(default_factory=dict)

    @property
    def best(self) -> int:
        """Number of the best trial."""
        return next(iter(self.weights))

    def members_text(self) -> str:
        """The trials with their weights and the numbers of their networks, if there are several."""

        def text(number: int, weight: float) -> str:
            share, n = f" × {weight:.3g}" if len(self.weights) > 1 else "", self.networks.get(number, 1)
            return f"trial-{number:03d}{share}" + (f" ({n} networks)" if n > 1 else "")

        return ", ".join(text(*member) for member in self.weights.items())

    def gain_text(self, metric: Metric) -> str:
        """The gain over the best trial alone on the validation rows, in one clause."""
        gain = gain_text(metric, self.score.value, self.alone.value, self.p_value < self.alpha)
        return f"{gain} ({self.test}: p = {self.p_value:.3g})"


def shared_out(weights: Mapping[int, float], n: int) -> dict[int, int]:
    """Number of networks of each trial: one, and the others where a network has the highest weight (D'Hondt).

    Args:
        weights: Trial number -> share, the best trial first; of equal shares, the first has the more networks.
        n: Networks in total; no fewer than trials.
    """
    counts = dict.fromkeys(weights, 1)
    for _ in range(n - len(counts)):
        counts[max(counts, key=lambda number: weights[number] / (counts[number] + 1))] += 1
    return counts


def gain_text(metric: Metric, own: float, alone: float, is_certain: bool) -> str:
    """The difference between a mixture and its best trial in a metric, in words.

    Args:
        is_certain: Whether it is more than chance.
    """
    values = f"{metric.label} {metric.text(own)} against {metric.text(alone)} of the best trial alone"
    if own == alone:
        return values
    direction = "better" if metric.is_better(own, alone) else "worse"
    chance = "more than chance" if is_certain else "which may be chance"
    return f"{values}, {metric.difference_text(own - alone)} {direction}, {chance}"
