"""Baselines of a classifier: the most frequent class, and a logistic regression."""

from __future__ import annotations

import warnings

import numpy as np

from steps.datasets import Split

MOST_FREQUENT_CLASS, LOGISTIC_REGRESSION = "most_frequent_class", "logistic_regression"


def baselines(train: Split, test: Split, n_classes: int, feature_max: float) -> dict[str, np.ndarray]:
    """Probabilities (m, n_classes) of each baseline, fitted on n training rows, for m test rows.

    The logistic regression is scikit-learn's, with its own defaults (L-BFGS, L2 penalty with C = 1) but for at
    most 30 iterations, on features scaled to [0, 1]: the other 70 would win a few tenths of a point on 60,000
    images of 28 x 28 pixels, and take ten seconds.

    Args:
        feature_max: Largest value of a feature.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    frequencies = np.bincount(train.targets, minlength=n_classes) / len(train)
    model = LogisticRegression(max_iter=30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 30 iterations are the baseline, converged or not
        model.fit(train.features.astype(np.float32) / feature_max, train.targets)
    fitted = np.zeros((len(test), n_classes))
    fitted[:, model.classes_] = model.predict_proba(test.features.astype(np.float32) / feature_max)
    return {MOST_FREQUENT_CLASS: np.tile(frequencies, (len(test), 1)), LOGISTIC_REGRESSION: fitted}
