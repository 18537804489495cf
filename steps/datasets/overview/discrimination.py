"""Classifier two-sample test: can training rows be told from test rows?

Source: Lopez-Paz & Oquab, "Revisiting Classifier Two-Sample Tests", ICLR 2017; here with ROC AUC.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROWS, COLUMNS = 1_000, 100  # rows of each split and columns that suffice
_LEAST = 20  # rows of each split
_ERRORS = 4.0  # standard errors of the AUC of a guess; the forest's own chance adds a little to one
_FAR = 0.07  # differences in AUC below are of no importance


@dataclass(frozen=True)
class Discrimination:
    """Result of a classifier that tells test rows from training rows by their values.

    Attributes:
        auc: ROC AUC for rows that the trees have not seen (out of bag); about 0.5 for splits that are alike.
        n_train, n_test, n_columns: Numbers of sampled rows and columns.
        is_far: Whether the AUC is larger than chance, and by an important amount.
    """

    auc: float
    n_train: int
    n_test: int
    n_columns: int
    is_far: bool


def discriminate(train: np.ndarray, test: np.ndarray) -> Discrimination | None:
    """Train a random forest on two splits.

    Args:
        train, test: (n, n_columns) numbers of different rows, NaN if missing: with copies among them, a row would be
            recognized by its copy. They are not encoded: an encoding treats the rows on which it was fitted better.

    Returns:
        None if a split has too few rows.
    """
    if min(len(train), len(test)) < _LEAST:
        return None
    from sklearn.ensemble import RandomForestClassifier  # late: the import takes a second
    from sklearn.metrics import roc_auc_score

    n_train, n_test = len(train), len(test)
    is_test = np.repeat([0, 1], [n_train, n_test])
    forest = RandomForestClassifier(
        min_samples_leaf=5, class_weight="balanced_subsample", oob_score=True, random_state=0
    ).fit(np.concatenate([train, test]), is_test)
    auc = float(roc_auc_score(is_test, forest.oob_decision_function_[:, 1]))
    error = np.sqrt((n_train + n_test + 1) / (12 * n_train * n_test))  # of the Mann-Whitney statistic
    return Discrimination(auc, n_train, n_test, train.shape[1], bool(auc - 0.5 > max(_FAR, _ERRORS * error)))
