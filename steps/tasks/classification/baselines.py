"""Baselines of a classifier: the most frequent class, a logistic regression, and boosted trees."""

from __future__ import annotations

import warnings

import numpy as np

from steps.datasets import Split
from steps.tasks.baselines import Boosted, Features

MOST_FREQUENT_CLASS, LOGISTIC_REGRESSION = "most_frequent_class", "logistic_regression"


def baselines(train: Split, test: Split, n_classes: int, features: Features) -> dict[str, np.ndarray]:
    """Probabilities (m, n_classes) of each baseline, fitted on n training rows with their weights, for m test rows.

    The logistic regression is scikit-learn's, with its own defaults (L-BFGS, L2 penalty with C = 1) but for at
    most 30 iterations: the other 70 would win a few tenths of a point on 60,000 images of 28 x 28 pixels, and take
    ten seconds.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    frequencies = np.bincount(train.targets, train.weights, minlength=n_classes)
    model = LogisticRegression(max_iter=30)
    ours, theirs = features.linear(train, test)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 30 iterations are the baseline, converged or not
        model.fit(ours, train.targets, train.weights)
    fitted = np.zeros((len(test), n_classes))
    fitted[:, model.classes_] = model.predict_proba(theirs)
    most_frequent = np.tile(frequencies / frequencies.sum(), (len(test), 1))
    return {MOST_FREQUENT_CLASS: most_frequent, LOGISTIC_REGRESSION: fitted}


def boosting(train: Split, test: Split, n_classes: int, features: Features) -> Boosted | None:
    """scikit-learn's HistGradientBoosting with its own defaults, seeded; None for images."""
    if features.is_image:
        return None
    from sklearn.ensemble import HistGradientBoostingClassifier

    train = features.rows_for_trees(train, n_classes if n_classes > 2 else 1)
    ours, theirs, categories = features.trees(train, test)
    model = HistGradientBoostingClassifier(
        categorical_features=categories, early_stopping=_can_stop_early(train), random_state=0
    )
    model.fit(ours, train.targets, train.weights)
    fitted = np.zeros((len(test), n_classes))
    fitted[:, model.classes_] = model.predict_proba(theirs)
    return Boosted(fitted, len(train))


def _can_stop_early(train: Split) -> bool:
    """Return whether trees may stop early as by default, above 10,000 rows: it takes two rows of each class."""
    return len(train) > 10_000 and int(np.unique(train.targets, return_counts=True)[1].min()) > 1
