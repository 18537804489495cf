from __future__ import annotations

import numpy as np
import pytest

from steps.datasets.tabular.sets import LEVELS, PredictionSets
from steps.tasks.classification.conformal import SetQuality, fitted_sets


def rows(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Targets of four classes, and the probabilities of a model that is far too sure and has a favourite."""
    scores = rng.normal(size=(n, 4)) * 1.5
    chances = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    targets = (chances.cumsum(1) > rng.random((n, 1))).argmax(1)
    sure = np.exp(3 * scores + np.array([1.0, 0, 0, 0]))
    return targets, (sure / sure.sum(1, keepdims=True)).astype(np.float32)


def members(sets: PredictionSets, probabilities: np.ndarray, level: float) -> np.ndarray:
    return sets.members(probabilities, probabilities.argmax(1), level)


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_sets_hold_the_stated_share_of_new_rows_whatever_the_model(level: float) -> None:
    rng, n = np.random.default_rng(0), 99
    covered = []
    for _ in range(400):
        sets = fitted_sets(*rows(rng, n))
        assert sets is not None
        targets, probabilities = rows(rng, 200)
        covered.append(SetQuality.of(level, targets, members(sets, probabilities, level)).coverage.value)
    deviation = np.std(covered) / np.sqrt(len(covered))
    assert np.mean(covered) > level - 3 * deviation
    if level == 0.9:  # at lower levels, the predicted class alone holds more
        assert np.mean(covered) < level + 1 / (n + 1) + 3 * deviation


def test_the_threshold_is_an_order_statistic_of_the_true_probabilities() -> None:
    given = np.arange(1, 100) / 100
    found = fitted_sets(np.zeros(99, int), np.stack([given, 1 - given], axis=1))
    assert found is not None
    assert found.levels == LEVELS
    assert found.least[LEVELS.index(0.9)] == pytest.approx(0.1)  # the 90th largest of 99
    assert found.least[0] == pytest.approx(0.5)
    assert list(found.least) == sorted(found.least, reverse=True)


def test_few_rows_reach_no_high_level_and_none_have_no_sets() -> None:
    some = np.full((9, 2), 0.5, np.float32)
    found = fitted_sets(np.zeros(9, int), some)
    assert found is not None
    assert found.levels[-1] == 0.9
    assert fitted_sets(np.zeros(0, int), some[:0]) is None


def test_a_higher_level_has_larger_sets_and_each_holds_the_predicted_class() -> None:
    rng = np.random.default_rng(0)
    sets = fitted_sets(*rows(rng, 500))
    assert sets is not None
    targets, probabilities = rows(rng, 500)
    low, high = (members(sets, probabilities, level) for level in (0.5, 0.95))
    assert (low <= high).all()
    assert low.sum() < high.sum()
    assert low[np.arange(500), probabilities.argmax(1)].all()
    found = SetQuality.of(0.95, targets, high)
    assert found.mean_size == pytest.approx(high.sum() / 500)
    assert found.single == pytest.approx((high.sum(1) == 1).mean())
    assert found.coverage.low is not None
    assert found.coverage.high is not None
    assert found.coverage.low < found.coverage.value < found.coverage.high
