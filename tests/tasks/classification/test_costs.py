from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics

from steps.base.errors import InputError
from steps.datasets.tabular.decision import Costs, Decision
from steps.datasets.tabular.predictions import decided
from steps.datasets.tabular.target import Target
from steps.tasks.baselines import Features
from steps.tasks.classification.costs import Saving, least_cost, parse_costs
from steps.tasks.classification.task import Classification

COSTS = Costs(1, 5)


def rows(n: int, *, share: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Which of n rows are positive, and a share of their true probabilities: right ones, or ones that are too small."""
    rng = np.random.default_rng(seed)
    probabilities = rng.beta(1, 3, n)
    return rng.random(n) < probabilities, share * probabilities


def two(positive: int, threshold: float | None) -> Target:
    names = ("no", "yes")
    decision = Decision(threshold, COSTS) if threshold is not None else None
    return Target("classification", "churn", names, names[positive], decision=decision)


def cost_at(threshold: float, is_positive: np.ndarray, scores: np.ndarray) -> float:
    predicted = scores >= threshold
    return float((predicted & ~is_positive).mean() + 5 * (~predicted & is_positive).mean())


@pytest.mark.parametrize("text", ["fp:1,fn:5", " fn: 5 , fp:1.0 ", "fp:1e0,fn:+5"])
def test_costs_are_read_in_any_order(text: str) -> None:
    assert parse_costs(text) == COSTS
    assert str(parse_costs(text)) == "fp:1,fn:5"


def test_no_costs_are_none() -> None:
    assert parse_costs("") is None


@pytest.mark.parametrize(
    "text",
    ["5", "fp:1", "fp:1,fp:5", "fp:1,fn:5,fn:6", "fp=1,fn=5", "fp:0,fn:5", "fp:1,fn:-5", "fp:1,fn:nan", "fp:1,fn:1e999",
     "fp:1,fn:e", "fp:1,fn:5,"],
)  # fmt: skip
def test_other_costs_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"costs must be .* such as fp:1,fn:5, got ") as refused:
        parse_costs(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_the_threshold_has_the_least_cost_though_the_probabilities_be_wrong(share: float) -> None:
    found = least_cost(COSTS, *rows(4000, share=share))
    new = rows(200_000, share=share, seed=1)
    least = min(cost_at(threshold, *new) for threshold in np.linspace(0, 1, 500))
    assert cost_at(found.threshold, *new) < 1.02 * least
    assert found.threshold == pytest.approx(share / 6, abs=0.05)
    assert found.costs == COSTS


def test_a_few_rows_cost_little() -> None:
    new = rows(100_000, seed=1000)
    costs = [cost_at(least_cost(COSTS, *rows(400, seed=seed)).threshold, *new) for seed in range(50)]
    assert np.mean(costs) < 1.02 * cost_at(1 / 6, *new)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.6, 0.8, 0.9], [False, True, True]),
        ([0.1, 0.1, 0.1], [True, True, True]),
        ([1.0, 1.0, 1.0], [True, True, True]),
        ([0.0, 0.0, 0.0], [True, True, True]),
    ],
)
def test_probabilities_of_any_size_have_a_threshold(scores: list[float], expected: list[bool]) -> None:
    is_positive, exact = np.tile([False, True, True], 50), np.tile(scores, 50).astype(np.float32)
    found = least_cost(COSTS, is_positive, exact)
    assert 0 <= found.threshold <= 1
    assert (exact[:3].astype(float) >= found.threshold).tolist() == expected


def test_rows_of_one_class_have_a_threshold() -> None:
    scores = np.linspace(0, 1, 11)
    for is_positive in (np.zeros(11, bool), np.ones(11, bool)):
        assert 0 <= least_cost(COSTS, is_positive, scores).threshold <= 1


@pytest.mark.parametrize("positive", [0, 1])
def test_the_metrics_are_those_of_the_decision(positive: int) -> None:
    is_positive, scores = rows(1000)
    targets = np.where(is_positive, positive, 1 - positive).astype(np.int32)
    probabilities = np.stack([scores, 1 - scores][:: 1 if positive == 0 else -1], axis=1).astype(np.float32)
    with_costs, without = Classification(two(positive, 0.2)), Classification(two(positive, None))
    predicted = decided(probabilities, with_costs.target)
    assert ((predicted == positive) == (scores >= 0.2)).all()
    truth, called = targets == positive, predicted == positive
    found, before = with_costs.test_scores(targets, probabilities), without.test_scores(targets, probabilities)
    expected = {
        "accuracy": sklearn.metrics.accuracy_score(truth, called),
        "f1": sklearn.metrics.f1_score(truth, called),
        "recall": sklearn.metrics.recall_score(truth, called),
        "precision": sklearn.metrics.precision_score(truth, called),
        "balanced_accuracy": sklearn.metrics.balanced_accuracy_score(truth, called),
        "f1_macro": sklearn.metrics.f1_score(truth, called, average="macro"),
        "matthews_corrcoef": sklearn.metrics.matthews_corrcoef(truth, called),
        "cost": cost_at(0.2, is_positive, scores),
    }
    assert {name: found[name].value for name in expected} == pytest.approx(expected)
    for name in expected:
        low, high = found[name].low, found[name].high
        assert low is not None
        assert high is not None
        assert low < found[name].value < high
    assert list(found) == [*before, "cost"]
    assert {name: before[name] for name in before if name not in expected} == {
        name: found[name] for name in before if name not in expected
    }
    streamed = with_costs.streamed()
    for start in range(0, 1000, 300):
        streamed.add(targets[start : start + 300], probabilities[start : start + 300])
    totals = streamed.result()
    assert totals["cost"] == pytest.approx(expected["cost"])
    assert totals["recall_score"] == pytest.approx(expected["recall"])
    assert f"{expected['accuracy']:.4f}" in with_costs.report(targets, probabilities)


def test_images_are_compared_by_the_decision() -> None:
    is_positive, scores = rows(500)
    targets, task = is_positive.astype(np.int32), Classification(two(1, 0.2), Features(is_image=True))
    ours, theirs = (np.stack([1 - s, s], axis=1).astype(np.float32) for s in (scores, rows(500, seed=2)[1]))
    assert task.primary.name == "accuracy"
    assert task.compare(targets, ours, theirs).challenger == task.primary.value(targets, ours)


def test_the_saving_is_that_of_the_threshold_over_the_more_probable_class() -> None:
    is_positive, scores = rows(2000)
    targets, target = is_positive.astype(np.int32), two(1, 0.2)
    probabilities = np.stack([1 - scores, scores], axis=1).astype(np.float32)
    found = Saving.of(target, targets, probabilities)
    assert found is not None
    before, after = cost_at(0.5, is_positive, scores), cost_at(0.2, is_positive, scores)
    assert (found.before.value, found.after.value) == pytest.approx((before, after))
    assert found.saved.value == pytest.approx(before - after)
    assert found.saved.low is not None
    assert found.saved.high is not None
    assert 0 < found.saved.low < found.saved.value < found.saved.high
    assert found.as_metrics().keys() >= {"most_probable_class_cost", "cost_saved", "cost_saved_low"}
    note = found.note(target)
    assert note.startswith("By the costs fp:1,fn:5, 'yes' is predicted from a probability of 0.2 on; 1,000 test rows ")
    assert Saving.of(two(1, None), targets, probabilities) is None
