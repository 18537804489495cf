from __future__ import annotations

import numpy as np

from steps.datasets import Dataset
from steps.tasks.baselines import Features
from steps.tasks.classification.baselines import LOGISTIC_REGRESSION, MOST_FREQUENT_CLASS, baselines


def test_baselines_of_digits(digits: Dataset) -> None:
    train, test = digits.splits["train"], digits.splits["validation"]
    found = baselines(train, test, 10, Features(feature_max=16.0, is_image=True))
    assert 0.93 < (found[LOGISTIC_REGRESSION].argmax(1) == test.targets).mean() < 1
    assert set(found[MOST_FREQUENT_CLASS].argmax(1)) == {np.bincount(train.targets).argmax()}
    for probabilities in found.values():
        np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
