"""Permutation importance: the loss of a metric when one column no longer fits the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from steps.tasks.metric import Metric

MAX_COLUMNS = 100
_MAX_ROWS = 1000
_MOST, _FEWEST = 5, 2  # shuffles of a column
_SHUFFLES = 100  # of all columns: of a wide table each is shuffled less often, as fewer rows would mislead more


@dataclass(frozen=True)
class ColumnImportance:
    """Importance of a column of a table, in units of a metric.

    Attributes:
        mean: By how much the metric is worse, in the mean, if the cells of the column are shuffled among the rows.
        spread: Standard deviation of that over the shuffles.
    """

    name: str
    mean: float
    spread: float

    @property
    def is_clear(self) -> bool:
        """Whether the metric is worse by more than the shuffles differ."""
        return self.mean > self.spread


def permutation_importances(
    predict: Callable[[pd.DataFrame], np.ndarray], rows: pd.DataFrame, targets: np.ndarray, metric: Metric, seed: int
) -> tuple[ColumnImportance, ...]:
    """The importance of each column, the largest first, on at most 1,000 rows (Breiman, 2001; Fisher et al., 2019).

    Args:
        predict: Raw rows -> outputs (n, n_outputs).
        rows: Raw rows that the model has not seen; a table of more than 100 columns gives no importances.
        targets: (n,).
    """
    from sklearn.inspection import permutation_importance  # takes a moment

    if rows.shape[1] > MAX_COLUMNS:
        return ()
    sample = np.random.default_rng(seed).permutation(len(rows))[: n_sampled(len(rows))]
    sign = 1 if metric.direction == "maximize" else -1
    found = permutation_importance(
        _Model(), rows.iloc[sample], targets[sample], n_repeats=n_shuffles(rows.shape[1]), random_state=seed,
        scoring=lambda _, x, y: sign * metric.value(y, predict(x)),
    )  # fmt: skip
    if not np.isfinite(found.importances).all():  # such as the ROC AUC of rows of one class
        return ()
    columns = map(ColumnImportance, rows.columns, found.importances_mean.tolist(), found.importances_std.tolist())
    return tuple(sorted(columns, key=lambda column: -column.mean))


def n_sampled(n_rows: int) -> int:
    """Number of the rows that are used."""
    return min(n_rows, _MAX_ROWS)


def n_shuffles(n_columns: int) -> int:
    """Number of shuffles of each column."""
    return min(_MOST, max(_FEWEST, _SHUFFLES // n_columns))


class _Model:
    """A fitted model for scikit-learn, which the scoring does not use."""

    def fit(self) -> None: ...
