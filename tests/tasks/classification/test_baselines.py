from __future__ import annotations

import numpy as np

from steps.datasets.catalogue import load_dataset
from steps.tasks.classification.baselines import LOGISTIC_REGRESSION, MOST_FREQUENT_CLASS, baseline_predictions


def test_baselines_of_digits() -> None:
    digits = load_dataset("digits", 1 / 6, seed=0)
    train, test = digits.splits["train"], digits.splits["validation"]
    found = baseline_predictions(train.features, train.labels, test.features, 16.0)
    assert 0.93 < (found[LOGISTIC_REGRESSION] == test.labels).mean() < 1
    assert set(found[MOST_FREQUENT_CLASS]) == {np.bincount(train.labels).argmax()}
