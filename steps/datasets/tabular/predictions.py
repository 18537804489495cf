"""Conversion between the outputs of a network and tables of predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .target import Target

PREDICTED = "predicted"


def named(outputs: np.ndarray, target: Target, index: Any = None) -> pd.DataFrame:
    """Columns `predicted` (str) and `probability_<class>` (float32) for classes, `predicted` (float32) for numbers.

    Args:
        outputs: (n, n_outputs) float32.
        index: Index of the table, (n,).
    """
    if not target.class_names:
        return pd.DataFrame(outputs, index=index, columns=[PREDICTED])
    table = pd.DataFrame(outputs, index=index, columns=names(target)[1:])
    table.insert(0, PREDICTED, pd.array(np.array(target.class_names, object)[outputs.argmax(1)], dtype="str"))
    return table


def names(target: Target) -> tuple[str, ...]:
    """Columns of the table of predictions."""
    return (PREDICTED, *(f"probability_{name}" for name in target.class_names))


def outputs_of(predictions: pd.DataFrame, target: Target) -> np.ndarray:
    """(n, n_outputs) float32: the inverse of `named`."""
    outputs: np.ndarray = predictions[[*names(target)[bool(target.class_names) :]]].to_numpy(np.float32)
    return outputs
