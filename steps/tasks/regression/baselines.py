"""Baselines of a regression: the mean, a ridge regression, and boosted trees."""

from __future__ import annotations

import numpy as np

from steps.datasets import Split
from steps.tasks.baselines import Boosted, Features

MEAN, RIDGE_REGRESSION = "mean", "ridge_regression"


def baselines(train: Split, test: Split, features: Features) -> dict[str, np.ndarray]:
    """(m, 1) outputs of each baseline, fitted on n training rows with their weights, for m test rows.

    The ridge regression is scikit-learn's with its own defaults (penalty 1), on the target in its own units.
    """
    from sklearn.linear_model import Ridge

    ours, theirs = features.linear(train, test)
    targets = train.targets.astype(np.float64)
    mean = np.average(targets, weights=train.weights)
    ridge = Ridge().fit(ours, targets, train.weights)
    return {MEAN: np.full((len(test), 1), mean), RIDGE_REGRESSION: ridge.predict(theirs).reshape(-1, 1)}


def boosting(train: Split, test: Split, features: Features) -> Boosted | None:
    """scikit-learn's HistGradientBoosting with its own defaults, seeded; None for images."""
    if features.is_image:
        return None
    from sklearn.ensemble import HistGradientBoostingRegressor

    train = features.rows_for_trees(train, 1)
    ours, theirs, categories = features.trees(train, test)
    model = HistGradientBoostingRegressor(categorical_features=categories, random_state=0)
    model.fit(ours, train.targets.astype(np.float64), train.weights)
    return Boosted(model.predict(theirs).reshape(-1, 1), len(train))
