from __future__ import annotations

import numpy as np

from steps.tasks.checks import check_baseline, rival_note
from steps.tasks.classification.comparison import McNemar
from steps.tasks.classification.metrics import ACCURACY
from steps.tasks.regression.comparison import SignFlip
from steps.tasks.regression.metrics import RMSE


def test_a_model_must_be_better_than_a_baseline() -> None:
    better = check_baseline(RMSE, "ridge_regression", 500.0, 600.0)
    assert (better.name, better.passed) == ("beats_ridge_regression", True)
    assert better.detail == "100.0 better than the ridge regression (600.0)"
    worse = check_baseline(RMSE, "ridge_regression", 600.0, 500.0)
    assert (worse.passed, worse.detail) == (False, "100.0 worse than the ridge regression (500.0)")
    equal = check_baseline(ACCURACY, "most_frequent_class", 0.9, 0.9)
    assert (equal.passed, equal.detail) == (False, "no better than the most frequent class (90.00 %)")


def test_two_perfect_models_are_no_reason_to_reject() -> None:
    assert check_baseline(ACCURACY, "logistic_regression", 1.0, 1.0).passed
    chance = check_baseline(RMSE, "ridge_regression", 600.0, 500.0, may_be_chance=True)
    assert chance.passed
    assert chance.detail.endswith("worse than the ridge regression (500.0), which may be chance and is accepted")
    assert check_baseline(RMSE, "ridge_regression", 0.0, 0.0).passed


def test_the_note_says_who_is_better_and_whether_it_may_be_chance() -> None:
    ahead = rival_note(ACCURACY, McNemar(900, 30, 5, 65), 0.05)
    assert ahead.startswith(
        "On the same rows, this model is better than scikit-learn's HistGradientBoosting (accuracy 90.50 %) by "
        "2.50 points, which is more than chance (exact McNemar test: p = "
    )
    assert ahead.endswith("): take this model")
    behind = rival_note(ACCURACY, McNemar(900, 5, 7, 88), 0.05)
    assert "HistGradientBoosting (accuracy 90.70 %) is better by 0.20 points, which may be chance" in behind
    assert rival_note(ACCURACY, McNemar(900, 5, 5, 90), 0.05).endswith("is as good")
    sampled = rival_note(ACCURACY, McNemar(900, 5, 7, 88), 0.05, 400_000)
    assert sampled.startswith("Fitted on a sample of 400,000 of the rows, scikit-learn's HistGradientBoosting")
    targets = np.zeros(50)
    numbers = rival_note(RMSE, SignFlip.of(targets, np.ones((50, 1)), np.full((50, 1), 0.5)), 0.05)
    assert "HistGradientBoosting (RMSE 0.5000) is better by 0.5000, which is more than chance" in numbers
    assert numbers.endswith("): take the trees")
