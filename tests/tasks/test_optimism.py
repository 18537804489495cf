"""The score to be expected of the best of several models, against models whose true score is known."""

from __future__ import annotations

import numpy as np
import pytest

from steps.tasks.classification.metrics import SEVERAL_CLASSES, roc_auc_of
from steps.tasks.optimism import expected_of_best

ACCURACY = SEVERAL_CLASSES["accuracy"]


def models(accuracies: list[float], n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Targets (n,) of two classes, and outputs (k, n, 2) of models that are right independently of each other."""
    targets = rng.integers(0, 2, n)
    right = rng.random((len(accuracies), n)) < np.array(accuracies)[:, None]
    positive = np.where(right, targets, 1 - targets) * 0.8 + 0.1
    return targets, np.stack([1 - positive, positive], -1)


@pytest.mark.parametrize("n_folds", [1, 4])
def test_equal_models_are_seen_through(n_folds: int, seed: int) -> None:
    rng, observed, expected = np.random.default_rng(seed), [], []
    for _ in range(40):
        targets, outputs = models([0.8] * 16, 200, rng)
        observed.append(max(ACCURACY.value(targets, model) for model in outputs))
        found = expected_of_best(ACCURACY, np.split(targets, n_folds), outputs)
        assert found is not None
        expected.append(found)
    assert np.mean(observed) > 0.84
    assert abs(np.mean(expected) - 0.8) < 0.02


def test_a_model_far_ahead_keeps_its_score(seed: int) -> None:
    targets, outputs = models([0.95, 0.7, 0.7, 0.7], 500, np.random.default_rng(seed))
    found = expected_of_best(ACCURACY, [targets], outputs)
    assert found == pytest.approx(ACCURACY.value(targets, outputs[0]), abs=0.005)


def test_draws_without_a_class_are_left_out() -> None:
    targets, outputs = models([0.9, 0.8], 40, np.random.default_rng(0))
    targets[:] = 0
    assert expected_of_best(roc_auc_of(1), [targets], outputs) is None
    assert expected_of_best(roc_auc_of(1), np.split(targets, 40), outputs) is None  # folds of one row
    targets[:3] = 1  # in most draws, one of them is left over
    found = expected_of_best(roc_auc_of(1), [targets], outputs)
    assert found is not None
    assert 0 <= found <= 1
