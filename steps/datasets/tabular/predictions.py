"""Conversion between the outputs of a network and tables of predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .interval import PredictionInterval
from .target import Target

PREDICTED = "predicted"
LOW, HIGH = "low", "high"


def named(
    outputs: np.ndarray, target: Target, interval: PredictionInterval | None = None, index: Any = None
) -> pd.DataFrame:
    """Columns `predicted` (str) and `probability_<class>` for classes, `predicted`, `low` and `high` for numbers.

    Numbers are float32.

    Args:
        outputs: (n, n_outputs) float32.
        interval: For numbers; without it, there is no `low` and no `high`.
        index: Index of the table, (n,).
    """
    if not target.class_names:
        ends = interval.ends(outputs[:, 0]) if interval else ()
        cells = np.column_stack([outputs, *ends]).astype(np.float32)
        return pd.DataFrame(cells, index=index, columns=names(target, interval))
    classes = pd.array(np.array(target.class_names, object)[outputs.argmax(1)], dtype="str")
    return pd.DataFrame(dict(zip(names(target), (classes, *outputs.T), strict=True)), index=index)


def names(target: Target, interval: PredictionInterval | None = None) -> tuple[str, ...]:
    """Columns of the table of predictions."""
    ends = (LOW, HIGH) if interval else ()
    return (PREDICTED, *(f"probability_{name}" for name in target.class_names), *ends)


def outputs_of(predictions: pd.DataFrame, target: Target) -> np.ndarray:
    """(n, n_outputs) float32: the inverse of `named`, without the intervals."""
    outputs: np.ndarray = predictions[[*names(target)[bool(target.class_names) :]]].to_numpy(np.float32)
    return outputs
