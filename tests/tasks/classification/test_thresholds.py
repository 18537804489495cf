from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics

from steps.tasks.classification.thresholds import Decisions, alternatives


def rows(n: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Which rows are positive, and their calibrated probabilities."""
    rng = np.random.default_rng(0)
    scores = rng.beta(0.7, 3, n)
    return rng.random(n) < scores, scores


def test_the_counts_of_a_threshold_are_those_of_scikit_learn() -> None:
    is_positive, scores = rows()
    for threshold in (0.0, 0.1, 0.5, 0.9, 1.1):
        found = Decisions.at(threshold, is_positive, scores)
        predicted = scores >= threshold
        tn, fp, fn, tp = sklearn.metrics.confusion_matrix(is_positive, predicted).ravel().tolist()
        assert found.counts == (tp, fp, fn, tn)
        assert found.recall == pytest.approx(sklearn.metrics.recall_score(is_positive, predicted))
        assert found.false_positive_rate == pytest.approx(fp / (fp + tn))
        if predicted.any():
            assert found.precision == pytest.approx(sklearn.metrics.precision_score(is_positive, predicted))
        else:
            assert found.precision is None


def test_rates_without_a_row_to_divide_by_are_unknown() -> None:
    scores = np.array([0.2, 0.8])
    assert Decisions.at(0.5, np.array([False, False]), scores).recall is None
    assert Decisions.at(0.5, np.array([True, True]), scores).false_positive_rate is None


@pytest.mark.parametrize("shape", ["usual", "rare", "sure"])
def test_the_alternatives_decide_differently_whatever_the_probabilities(shape: str) -> None:
    is_positive, scores = rows()
    scores = {"usual": scores, "rare": scores / 50, "sure": 1 / (1 + np.exp(-20 * (scores - 0.3)))}[shape]
    found = alternatives(is_positive, scores)
    assert 3 <= len(found) <= 11
    n_predicted = [decisions.n_predicted for decisions in found]
    assert n_predicted == sorted(set(n_predicted), reverse=True)
    assert all(0 < n < len(scores) for n in n_predicted)
    assert [decisions.counts for decisions in found] == [
        Decisions.at(decisions.threshold, is_positive, scores).counts for decisions in found
    ]


def test_equal_probabilities_have_no_alternatives() -> None:
    assert alternatives(np.array([True, False]), np.array([0.3, 0.3])) == []
