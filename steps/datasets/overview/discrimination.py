"""Classifier two-sample test: can training rows be told from test rows?

Source: Lopez-Paz & Oquab, "Revisiting Classifier Two-Sample Tests", ICLR 2017; here with ROC AUC.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_ROWS = 1_000  # sampled rows of each split
_LEAST = 20  # rows of each split
_FEATURES = 100  # sampled features
_ERRORS = 4.0  # standard errors of the AUC of a guess; the forest's own chance adds a little to one
_FAR = 0.07  # differences in AUC below are of no importance


@dataclass(frozen=True)
class Discrimination:
    """Result of a classifier that tells test rows from training rows by their features.

    Attributes:
        auc: ROC AUC for rows that the trees have not seen (out of bag); about 0.5 for splits that are alike.
        n_train, n_test: Numbers of sampled rows.
        n_features: Number of sampled features of an encoded row.
        is_far: Whether the AUC is larger than chance, and by an important amount.
    """

    auc: float
    n_train: int
    n_test: int
    n_features: int
    is_far: bool


def discriminate(train: np.ndarray, test: np.ndarray) -> Discrimination | None:
    """Train a random forest on two splits.

    Args:
        train, test: (n, n_features) features of different rows: with copies among them, a row would be recognized by
            its copy.

    Returns:
        None if a split has too few rows.
    """
    if min(len(train), len(test)) < _LEAST:
        return None
    from sklearn.ensemble import RandomForestClassifier  # late: the import takes a second
    from sklearn.metrics import roc_auc_score

    random = np.random.default_rng(0)
    features = np.sort(random.permutation(train.shape[1])[:_FEATURES])
    samples = [split[np.sort(random.permutation(len(split))[:_ROWS])][:, features] for split in (train, test)]
    n_train, n_test = map(len, samples)
    is_test = np.repeat([0, 1], [n_train, n_test])
    forest = RandomForestClassifier(
        min_samples_leaf=5, class_weight="balanced_subsample", oob_score=True, random_state=0
    ).fit(np.concatenate(samples), is_test)
    auc = float(roc_auc_score(is_test, forest.oob_decision_function_[:, 1]))
    error = np.sqrt((n_train + n_test + 1) / (12 * n_train * n_test))  # of the Mann-Whitney statistic
    return Discrimination(auc, n_train, n_test, len(features), bool(auc - 0.5 > max(_FAR, _ERRORS * error)))
