"""Permutation importance: the loss of a metric when one column no longer fits the rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from steps.tasks.metric import Metric

MAX_COLUMNS = 100
_REPEATS = 5
_CELLS = 4_000_000  # that are encoded altogether
_LEAST, _MOST = 200, 1000  # rows


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


def permutation_importances(
    predict: Callable[[pd.DataFrame], np.ndarray], rows: pd.DataFrame, targets: np.ndarray, metric: Metric, seed: int
) -> tuple[ColumnImportance, ...]:
    """The importance of each column, the largest first, on at most 1,000 rows (Breiman, 2001; Fisher et al., 2019).

    Args:
        predict: Raw rows -> outputs (n, n_outputs).
        rows: Raw rows that the model has not seen; a table of more than 100 columns gives no importances.
        targets: (n,).
    """
    n_columns = rows.shape[1]
    if n_columns > MAX_COLUMNS:
        return ()
    n_rows = min(len(rows), max(_LEAST, min(_MOST, _CELLS // (_REPEATS * n_columns**2))))
    rng = np.random.default_rng(seed)
    sample = rng.permutation(len(rows))[:n_rows]
    rows, targets = rows.iloc[sample], targets[sample]
    sign = 1 if metric.direction == "maximize" else -1
    whole = metric.value(targets, predict(rows))
    if not math.isfinite(whole):  # such as the ROC AUC of rows of one class
        return ()
    repeated = pd.concat([rows] * _REPEATS, ignore_index=True)
    found = []
    for name in rows.columns:
        order = np.concatenate([rng.permutation(n_rows) for _ in range(_REPEATS)])
        outputs = predict(repeated.assign(**{name: rows[name].iloc[order].reset_index(drop=True)}))
        losses = [sign * (whole - metric.value(targets, part)) for part in np.split(outputs, _REPEATS)]
        found.append(ColumnImportance(name, float(np.mean(losses)), float(np.std(losses, ddof=1))))
    return tuple(sorted(found, key=lambda column: -column.mean))
