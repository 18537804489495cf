"""Decisions by cost: the threshold with the least cost of errors, and the metrics of a model that applies it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from steps.base.errors import InputError
from steps.datasets.tabular.decision import Costs, Decision
from steps.datasets.tabular.predictions import decided
from steps.datasets.tabular.target import Target
from steps.tasks import intervals
from steps.tasks.classification.counts import confusion, confusion_of
from steps.tasks.classification.metrics import two_classes
from steps.tasks.classification.ranking import Ranking
from steps.tasks.metric import Interval, Metric, as_metrics, significant

COST = "cost"  # mean cost of a row, `test_cost` on runs
_NEAR = 0.5  # standard errors
_FORM = re.compile(r"\s*(fp|fn)\s*:\s*([-+0-9.eE]+)\s*")
_OF_CLASSES = ("accuracy", "f1", "recall", "precision", "balanced_accuracy", "f1_macro", "matthews_corrcoef")


def parse_costs(text: str) -> Costs | None:
    """`fp:<number>,fn:<number>` in any order; None for an empty text.

    Raises:
        InputError: Another form, or a cost that is not a finite number above 0.
    """
    if not text.strip():
        return None
    given = [_FORM.fullmatch(part) for part in text.split(",")]
    try:
        found = {match[1]: float(match[2]) for match in given if match}
    except ValueError:
        found = {}
    if len(given) != 2 or set(found) != {"fp", "fn"} or not all(0 < cost < math.inf for cost in found.values()):
        raise InputError(
            "costs must be the costs of a false positive and of a false negative, both above 0, such as fp:1,fn:5, "
            f"got {text!r}"
        )
    return Costs(found["fp"], found["fn"])


def least_cost(costs: Costs, is_positive: np.ndarray, scores: np.ndarray) -> Decision:
    """The threshold with the least cost of the errors on rows that the model did not see.

    A few rows leave the best threshold to chance. So of all thresholds whose cost is within half a standard error of
    the least one, by the differences row by row, the one that is nearest to that of right probabilities is taken.
    Simulated with 400 rows, right probabilities and the costs 1 and 5, the cost is 1 % above the least possible one,
    instead of 4 % with the best threshold of these rows; with probabilities that are much too low, both are 4 % above.

    Args:
        is_positive: (n,) booleans.
        scores: (n,) probabilities of the positive class; n is at least 1.
    """
    ranking, n = Ranking.of(is_positive, scores), len(scores)
    found = np.append(0, ranking.found)  # (k + 1,) true positives among the rows with the highest scores
    false = np.append(0, ranking.passed - ranking.found)
    total = costs.false_positive * false + costs.false_negative * (is_positive.sum() - found).astype(np.float64)
    edges = np.concatenate([[1.0], np.unique(scores.astype(np.float64))[::-1], [0.0]])
    high, low = edges[:-1], edges[1:]  # all thresholds above `low`, up to `high`, decide alike
    total[0] = math.inf if low[0] == 1 else total[0]  # no threshold is above a probability of 1
    best = int(total.argmin())
    squares = costs.false_positive**2 * abs(false - false[best]) + costs.false_negative**2 * abs(found - found[best])
    gap = (total - total[best]) / n
    is_near = gap <= _NEAR * np.sqrt(np.maximum(squares / n - gap**2, 0) / n)
    is_inside = (low < costs.threshold) & (costs.threshold <= high)
    thresholds = np.where(is_inside, costs.threshold, (low + high) / 2)[is_near]
    return Decision(float(thresholds[np.abs(thresholds - costs.threshold).argmin()]), costs)


def mean_cost(counts: np.ndarray, positive: int, costs: Costs) -> np.ndarray:
    """(...,) mean cost of a row, from (..., 2, 2) confusion matrices."""
    negative = 1 - positive
    false_positives, false_negatives = counts[..., negative, positive], counts[..., positive, negative]
    total = costs.false_positive * false_positives + costs.false_negative * false_negatives
    return np.asarray(total / counts.sum((-2, -1)))


def _interval(counts: np.ndarray, positive: int, costs: Costs) -> tuple[float, float] | None:
    """That of the mean cost of a row, from a (2, 2) confusion matrix."""
    return intervals.by_bootstrap(lambda copies: mean_cost(copies.reshape(-1, 2, 2), positive, costs), counts.ravel())


@cache
def with_costs(target: Target) -> Mapping[str, Metric]:
    """The metrics of two classes, with those of the predicted classes by the decision of a target, and its cost."""
    positive, decision = target.positive, target.decision
    assert positive is not None
    assert decision is not None

    def certain(probabilities: np.ndarray) -> np.ndarray:
        """(n, 2) with 1 for the predicted class."""
        return np.asarray(np.eye(2)[decided(probabilities, target)])

    def of_decision(metric: Metric) -> Metric:
        value, interval = metric.value, metric.interval
        return replace(
            metric,
            value=lambda targets, probabilities: value(targets, certain(probabilities)),
            interval=interval and (lambda targets, probabilities: interval(targets, certain(probabilities))),
        )

    def counts(targets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        return confusion_of(targets, decided(probabilities, target), 2)

    def cost(targets: np.ndarray, probabilities: np.ndarray) -> float:
        return float(mean_cost(counts(targets, probabilities), positive, decision.costs))

    def cost_interval(targets: np.ndarray, probabilities: np.ndarray) -> tuple[float, float] | None:
        return _interval(counts(targets, probabilities), positive, decision.costs)

    known = {name: of_decision(m) if name in _OF_CLASSES else m for name, m in two_classes(positive).items()}
    bounds = (0.0, math.inf)
    return {**known, COST: Metric(COST, "cost of a sample", "minimize", cost, cost_interval, 0, False, True, bounds)}


@dataclass(frozen=True)
class Saving:
    """Mean costs of a row with the threshold of a model, and with the more probable class.

    Attributes:
        saved: `before` minus `after`, on the same rows.
    """

    before: Interval
    after: Interval
    saved: Interval

    @classmethod
    def of(cls, target: Target, targets: np.ndarray, probabilities: np.ndarray) -> Saving | None:
        """On (n,) targets and (n, 2) probabilities; None for a model without costs."""
        positive, decision = target.positive, target.decision
        if positive is None or decision is None:
            return None
        probable, costs = confusion(targets, probabilities), decision.costs
        before = Interval(
            float(mean_cost(probable, positive, costs)), *(_interval(probable, positive, costs) or (None, None))
        )
        after = with_costs(target)[COST].measure(targets, probabilities)
        wrong = np.zeros((2, 2))
        wrong[1 - positive, positive], wrong[positive, 1 - positive] = costs.false_positive, costs.false_negative
        saved = wrong[targets, probabilities.argmax(1)] - wrong[targets, decided(probabilities, target)]
        values, counts = np.unique(saved, return_counts=True)  # at most five
        ends = intervals.by_bootstrap(lambda copies: copies @ values / copies.sum(1), counts)
        return cls(before, after, Interval(float(saved.mean()), *(ends or (None, None))))

    def as_metrics(self) -> dict[str, float]:
        """The cost with the more probable class, and the saving; the cost itself is among the scores."""
        return as_metrics({f"most_probable_class_{COST}": self.before, f"{COST}_saved": self.saved}, "")

    def note(self, target: Target) -> str:
        """The threshold and the costs of 1,000 rows in one sentence."""
        assert target.decision is not None
        assert target.positive is not None
        name, threshold = target.class_names[target.positive], target.decision.threshold
        return (
            f"By the costs {target.decision.costs}, {name!r} is predicted from a probability of {threshold:.3g} on; "
            f"1,000 test rows cost {_per_1000(self.after)}, with the more probable class {_per_1000(self.before)}, "
            f"a saving of {_per_1000(self.saved)}"
        )


def _per_1000(cost: Interval) -> str:
    value, *ends = (
        significant(1000 * number).replace("-", "−")
        for number in (cost.value, cost.low, cost.high)
        if number is not None
    )
    return f"{value} (95 % interval {' to '.join(ends)})" if ends else value
