from __future__ import annotations

import numpy as np
import pytest

from steps.datasets.tabular.interval import PredictionInterval
from steps.datasets.tabular.target import Target
from steps.tasks.metric import Interval
from steps.tasks.regression.conformal import coverage, coverage_note, fitted
from steps.tasks.regression.task import Regression

NUMBER = Target("regression", low=-5.0, high=5.0)
PRICE = Target("regression", low=0.0, high=1e6, is_skewed=True)


def fit(target: Target, targets: np.ndarray, outputs: np.ndarray) -> PredictionInterval:
    found = fitted(target, targets, outputs)
    assert found is not None
    return found


@pytest.mark.parametrize("n", [9, 20, 150])
@pytest.mark.parametrize("tails", ["normal", "heavy", "skewed"])
def test_of_new_rows_nine_in_ten_lie_in_the_intervals(n: int, tails: str) -> None:
    """2,000 simulated studies; the mean coverage of exchangeable rows is k / (n + 1), whatever their distribution."""
    rng, inside = np.random.default_rng(0), []
    draw = {"normal": rng.normal, "heavy": lambda size: rng.standard_t(2, size), "skewed": rng.exponential}[tails]
    for _ in range(2000):
        targets, new = draw(size=n), draw(size=50)
        interval = fit(NUMBER, targets, np.zeros((n, 1)))
        inside.append(coverage(interval, new, np.zeros((50, 1))).value)
    expected = np.ceil((n + 1) * 0.9) / (n + 1)
    assert 0.9 <= expected <= 0.9 + 1 / (n + 1)
    assert np.mean(inside) == pytest.approx(expected, abs=0.006)  # three standard errors at most


def test_too_few_rows_give_no_interval() -> None:
    assert fitted(NUMBER, np.zeros(8), np.ones((8, 1))) is None
    assert Regression(NUMBER).calibration(np.zeros(8), np.ones((8, 1))) == {}


def test_errors_that_grow_with_the_target_give_intervals_that_do() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.lognormal(8, 1, (2000, 1))
    targets = predicted[:, 0] * rng.lognormal(0, 0.3, 2000)
    interval = fit(PRICE, targets, predicted)
    assert interval.scale == "log"
    assert coverage(interval, targets, predicted).value == pytest.approx(0.9, abs=0.001)
    cheap, dear = np.argsort(predicted[:, 0])[[100, -100]]
    low, high = interval.ends(predicted[:, 0])
    assert high[dear] - low[dear] > 10 * (high[cheap] - low[cheap])


def test_errors_that_do_not_grow_keep_the_linear_scale() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.lognormal(3, 1, (2000, 1)) + 20
    assert fit(PRICE, predicted[:, 0] + rng.normal(0, 5, 2000), predicted).scale == "linear"


def test_the_interval_travels_as_measures_of_a_trial() -> None:
    targets = np.arange(100.0) ** 2
    for target, outputs in [(NUMBER, targets[:, None] + 3), (PRICE, targets[:, None] * 1.1)]:
        measures = Regression(target).calibration(targets, outputs)
        assert PredictionInterval.of_measures({"rmse": 1.0, **measures}, target) == fit(target, targets, outputs)
    assert PredictionInterval.of_measures({"rmse": 1.0}, NUMBER) is None


def test_targets_that_are_never_negative_have_no_negative_ends() -> None:
    low, high = PredictionInterval(2.0, least=0.0).ends(np.array([1.0, 5.0]))
    assert (low.tolist(), high.tolist()) == ([0, 3], [3, 7])
    low, _ = PredictionInterval(0.5, "log", least=0.0).ends(np.array([0.1]))
    assert low.tolist() == [0]
    assert PredictionInterval(2.0).ends(np.array([1.0]))[0].tolist() == [-1]


def test_the_note_says_if_the_intervals_are_too_narrow() -> None:
    interval, outputs = PredictionInterval(1.0), np.zeros((200, 1))
    targets = np.where(np.arange(200) < 140, 0.5, 9)
    covered = coverage(interval, targets, outputs)
    assert coverage_note(interval, covered, outputs) == (
        "The intervals low to high are made to hold 90 % of the targets; they hold 70.0 % of those of the test rows "
        "(95 % interval 63.3–75.9 %), so they are too narrow, and their mean width is 2.000"
    )
    assert "too narrow" not in coverage_note(interval, Interval(0.88, 0.84, 0.92), outputs)
