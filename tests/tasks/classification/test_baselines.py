from __future__ import annotations

import numpy as np

from steps.datasets.catalogue import load_dataset
from steps.tasks.classification.baselines import LOGISTIC_REGRESSION, MOST_FREQUENT_CLASS, baselines


def test_baselines_of_digits() -> None:
    digits = load_dataset("digits", 1 / 6, seed=0)
    train, test = digits.splits["train"], digits.splits["validation"]
    found = baselines(train, test, 10, 16.0)
    assert 0.93 < (found[LOGISTIC_REGRESSION].argmax(1) == test.targets).mean() < 1
    assert set(found[MOST_FREQUENT_CLASS].argmax(1)) == {np.bincount(train.targets).argmax()}
    for probabilities in found.values():
        np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
