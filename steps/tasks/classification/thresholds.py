"""Thresholds of the probability of a class: the decisions that each of them makes, as counts of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steps.datasets.tabular.decision import Costs

_GRID = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
    0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999,
)  # fmt: skip
_MOST = 11  # alternatives


@dataclass(frozen=True)
class Decisions:
    """Rows of two classes by their true and their predicted class.

    Attributes:
        threshold: The positive class is predicted from this probability on.
    """

    threshold: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @classmethod
    def at(cls, threshold: float, is_positive: np.ndarray, scores: np.ndarray) -> Decisions:
        """From (n,) booleans and the (n,) probabilities of the positive class."""
        return cls.of(threshold, is_positive, scores.astype(np.float64) >= threshold)

    @classmethod
    def of(cls, threshold: float, is_positive: np.ndarray, is_predicted: np.ndarray) -> Decisions:
        """From (n,) booleans: which rows are of the positive class, and for which it is predicted."""
        pairs = (is_positive, is_predicted), (~is_positive, is_predicted), (is_positive, ~is_predicted)
        counts = [int((true & predicted).sum()) for true, predicted in (*pairs, (~is_positive, ~is_predicted))]
        return cls(threshold, *counts)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """True positives, false positives, false negatives and true negatives."""
        return self.true_positives, self.false_positives, self.false_negatives, self.true_negatives

    def cost(self, costs: Costs) -> float:
        """Mean cost of a row."""
        wrong = costs.false_positive * self.false_positives + costs.false_negative * self.false_negatives
        return wrong / sum(self.counts)

    @property
    def n_predicted(self) -> int:
        """Rows for which the positive class is predicted."""
        return self.true_positives + self.false_positives

    @property
    def precision(self) -> float | None:
        """Share of the predictions of the positive class that are right; None without one."""
        return self.true_positives / self.n_predicted if self.n_predicted else None

    @property
    def recall(self) -> float | None:
        """Share of the rows of the positive class that are found; None without one."""
        n_positive = self.true_positives + self.false_negatives
        return self.true_positives / n_positive if n_positive else None

    @property
    def false_positive_rate(self) -> float | None:
        """Share of the rows of the other class for which the positive one is predicted; None without one."""
        n_negative = self.false_positives + self.true_negatives
        return self.false_positives / n_negative if n_negative else None


def alternatives(is_positive: np.ndarray, scores: np.ndarray) -> list[Decisions]:
    """At most 11 round thresholds that decide (n,) rows differently, rising, each with the decisions that it makes.

    The thresholds are denser near 0 and 1, where the probabilities of a rare class and of a sure model lie. Of too
    many, those are left out that differ least from their neighbours, by the sum of the differences of both rates.
    """
    found: list[Decisions] = []
    for threshold in _GRID:
        decisions = Decisions.at(threshold, is_positive, scores)
        if 0 < decisions.n_predicted < len(scores) and (not found or decisions.counts != found[-1].counts):
            found.append(decisions)
    while len(found) > _MOST:
        gaps = [_distance(before, after) for before, after in zip(found, found[2:], strict=False)]
        del found[1 + gaps.index(min(gaps))]
    return found


def _distance(first: Decisions, second: Decisions) -> float:
    rates = ((d.recall or 0.0, d.false_positive_rate or 0.0) for d in (first, second))
    return float(sum(abs(ours - theirs) for ours, theirs in zip(*rates, strict=True)))
