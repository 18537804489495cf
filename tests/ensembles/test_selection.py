"""Mixtures of synthetic trials: targets plus noise of a known size."""

from __future__ import annotations

import numpy as np
import pytest

from steps.datasets.tabular.target import Target
from steps.ensembles.mixture import gain_text, shared_out
from steps.ensembles.selection import Trials, greedy_weights, mixed, select_mixture
from steps.tasks.classification.task import Classification
from steps.tasks.regression.metrics import RMSE
from steps.tasks.regression.task import Regression

PRICE = Regression(Target("regression", low=-10, high=10, std=1))
CLASSES = Classification(Target("classification", class_names=("a", "b", "c")))
CHURN = Classification(Target("classification", class_names=("no", "yes")))
ROWS = 600


def prices(errors: list[float], seed: int, shared: float = 0.0) -> Trials:
    """Trials 10, 11, ... whose outputs have normal errors of these sizes, and one that all share."""
    rng = np.random.default_rng(seed)
    targets = rng.standard_normal(ROWS).astype(np.float32)
    common = shared * rng.standard_normal(ROWS)
    outputs = [(targets + common + size * rng.standard_normal(ROWS))[:, None].astype(np.float32) for size in errors]
    return Trials(PRICE, (targets,), {10 + i: found for i, found in enumerate(outputs)})


def classes(task: Classification, noise: list[float], seed: int) -> Trials:
    """Trials 10, 11, ... whose logits are the true class plus noise of these sizes."""
    rng = np.random.default_rng(seed)
    n = len(task.target.class_names)
    targets = rng.integers(0, n, ROWS).astype(np.int32)
    logits = [2 * np.eye(n)[targets] + size * rng.standard_normal((ROWS, n)) for size in noise]
    exponents = [np.exp(found).astype(np.float32) for found in logits]
    return Trials(task, (targets,), {10 + i: e / e.sum(1, keepdims=True) for i, e in enumerate(exponents)})


@pytest.mark.parametrize("n_networks", [1, 2, 3, 8, 1000])
@pytest.mark.parametrize("kind", ["price", "classes", "churn"])
def test_weights_are_shares_of_at_most_so_many_trials(kind: str, n_networks: int, seed: int) -> None:
    sizes = [0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4]
    task = {"classes": CLASSES, "churn": CHURN}.get(kind)
    found = select_mixture(classes(task, sizes, seed) if task else prices(sizes, seed), n_networks, 0.05)
    assert 1 <= len(found.weights) <= min(n_networks, len(sizes))
    assert sum(found.networks.values()) == n_networks
    assert list(found.networks) == list(found.weights)
    assert set(found.weights) <= set(range(10, 17))
    assert min(found.weights.values()) > 0
    assert sum(found.weights.values()) == pytest.approx(1)
    assert found.best == 10


def test_equally_good_trials_with_errors_of_their_own_are_averaged(seed: int) -> None:
    found = select_mixture(prices([0.5] * 5, seed), 8, 0.01)
    assert found.weights == dict.fromkeys(range(10, 15), pytest.approx(0.2))
    assert found.score.value == pytest.approx(0.5 / np.sqrt(5), rel=0.15)
    assert found.alone.value > 1.5 * found.score.value
    assert found.p_value < 0.01


@pytest.mark.parametrize(
    ("weights", "n", "expected"),
    [
        ({3: 1.0}, 8, {3: 8}),
        ({7: 0.2, 0: 0.2, 5: 0.2, 9: 0.2, 1: 0.2}, 8, {7: 2, 0: 2, 5: 2, 9: 1, 1: 1}),
        ({4: 0.75, 2: 0.25}, 8, {4: 6, 2: 2}),
        ({4: 23 / 24, 2: 1 / 24}, 2, {4: 1, 2: 1}),
    ],
)
def test_networks_are_shared_out_by_weight(weights: dict[int, float], n: int, expected: dict[int, int]) -> None:
    found = shared_out(weights, n)
    assert list(found.items()) == list(expected.items())


def test_a_trial_with_worse_company_stands_alone(seed: int) -> None:
    found = select_mixture(prices([0.1, 3.0, 3.0, 3.0], seed), 2, 0.05)
    assert found.weights.get(10, 0) > 0.95
    assert found.score.value <= found.alone.value * 1.01


def test_greedy_weights_replace_the_mean_if_they_are_better_beyond_chance(seed: int) -> None:
    found = select_mixture(prices([0.3, 0.3, 0.9, 0.9, 0.9, 0.3, 0.3], seed), 4, 0.05)
    assert {10, 11, 15, 16} >= {number for number, weight in found.weights.items() if weight > 0.15}
    assert "selected greedily, better than the mean of the best 4" in found.reason


@pytest.mark.parametrize("task", [CLASSES, CHURN])
def test_greedy_weights_are_never_worse_than_the_best_model_on_their_rows(task: Classification, seed: int) -> None:
    trials = classes(task, [1.0, 1.5, 2.0], seed)
    outputs = np.stack(list(trials.outputs.values()))
    weights = greedy_weights(task, trials.all_targets, outputs, 3)
    value = task.primary.value
    best = max(value(trials.all_targets, found) for found in outputs)
    assert value(trials.all_targets, mixed(outputs, weights)) >= best


def test_equal_trials_gain_nothing(seed: int) -> None:
    one = prices([0.5], seed)
    found = select_mixture(Trials(PRICE, one.targets, dict.fromkeys((3, 1, 2), one.outputs[10])), 8, 0.05)
    assert found.score.value == pytest.approx(found.alone.value, rel=1e-6)
    assert found.p_value == 1


def test_folds_are_scored_as_a_study_scores_them(seed: int) -> None:
    trials = prices([0.5, 0.5], seed)
    (targets,), outputs = trials.targets, trials.outputs[10]
    folds = Trials(PRICE, (targets[:100], targets[100:]), trials.outputs)
    assert folds.measure(outputs).value == pytest.approx(
        (PRICE.primary.value(targets[:100], outputs[:100]) + PRICE.primary.value(targets[100:], outputs[100:])) / 2
    )
    assert select_mixture(folds, 2, 0.05).weights == select_mixture(trials, 2, 0.05).weights


def test_the_same_trials_give_the_same_mixture(seed: int) -> None:
    first, second = (select_mixture(classes(CLASSES, [1.0, 1.2, 1.1], seed), 3, 0.05) for _ in range(2))
    assert first == second


def test_a_gain_is_said_with_its_direction_and_certainty() -> None:
    assert gain_text(RMSE, 2.0, 2.5, True) == (
        "RMSE 2.000 against 2.500 of the best trial alone, 0.5000 better, more than chance"
    )
    assert gain_text(RMSE, 2.5, 2.0, False).endswith("0.5000 worse, which may be chance")
    assert gain_text(RMSE, 2.0, 2.0, False) == "RMSE 2.000 against 2.000 of the best trial alone"
