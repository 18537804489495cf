from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats

from steps.tasks import intervals
from steps.tasks.classification.ranking import average_precision, average_precision_interval, roc_auc, roc_auc_interval


def test_proportions_of_published_examples() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    for right, n, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert intervals.of_proportion(right, n) == pytest.approx((low, high), abs=5e-5)
    assert intervals.of_proportion(0, 0) is None


def test_the_median_of_a_published_example() -> None:
    # 95 % or more for n = 10: the second smallest and the second largest (Conover, table A3; coverage 97.9 %)
    assert intervals.of_order_statistics(np.arange(10.0)) == (1, 8)
    assert intervals.of_order_statistics(np.arange(5.0)) is None


def test_what_tells_nothing_has_no_interval() -> None:
    assert intervals.of_mean(np.zeros(10)) is None
    assert intervals.of_mean(np.ones(1)) is None
    assert intervals.by_bootstrap(lambda copies: np.ones(len(copies)), 10) is None
    assert intervals.by_bootstrap(lambda copies: (copies @ np.full(10, 0.1)) / (copies.sum(1) * 0.1), 10) is None
    assert roc_auc_interval(math.nan, 10, 10) is None
    assert roc_auc_interval(0.5, 0, 10) is None
    assert average_precision_interval(1.0, 10) is None


def test_the_bootstrap_draws_rows_and_counts_alike() -> None:
    n_right, n = 180, 200
    right = np.arange(n) < n_right
    by_rows = intervals.by_bootstrap(lambda copies: copies @ right / copies.sum(1), n)
    by_counts = intervals.by_bootstrap(lambda copies: copies[:, 0] / copies.sum(1), np.array([n_right, n - n_right]))
    expected = scipy.stats.norm.interval(0.95, 0.9, math.sqrt(0.9 * 0.1 / n))
    assert by_rows == pytest.approx(expected, abs=0.01)
    assert by_counts == pytest.approx(expected, abs=0.01)


def covered(truth: float, interval: Callable[[np.random.Generator], tuple[float, float] | None]) -> float:
    """Share of 400 intervals that hold the truth."""
    found = [interval(np.random.default_rng(seed)) for seed in range(400)]
    return float(np.mean([ends is not None and ends[0] <= truth <= ends[1] for ends in found]))


def test_intervals_of_means_hold_the_truth_about_as_often_as_they_say() -> None:
    assert covered(1.0, lambda rng: intervals.of_mean(rng.normal(size=100) ** 2)) > 0.92
    assert covered(2.0, lambda rng: intervals.of_mean(rng.laplace(size=100) ** 2)) > 0.88


@pytest.mark.parametrize("area", [0.6, 0.9, 0.99])
@pytest.mark.parametrize("n", [(10, 40), (30, 300)])
def test_intervals_of_rankings_hold_the_truth_about_as_often_as_they_say(area: float, n: tuple[int, int]) -> None:
    is_positive = np.arange(sum(n)) < n[0]
    distance = scipy.stats.norm.ppf(area) * math.sqrt(2)

    def auc(rng: np.random.Generator) -> tuple[float, float] | None:
        return roc_auc_interval(roc_auc(is_positive, rng.normal(size=sum(n)) + distance * is_positive), *n)

    def precision(rng: np.random.Generator) -> tuple[float, float] | None:
        found = average_precision(is_positive, rng.normal(size=sum(n)) + distance * is_positive)
        return average_precision_interval(found, n[0])

    many = np.arange(200_000) < 200_000 * n[0] / sum(n)
    scores = np.random.default_rng(0).normal(size=200_000) + distance * many
    assert covered(area, auc) > 0.92
    if area < 0.99:  # nearer to 1 every small sample is perfect
        assert covered(average_precision(many, scores), precision) > 0.9
