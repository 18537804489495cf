"""Conversion between the outputs of a network and tables of predictions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from .interval import PredictionInterval
from .target import Target

PREDICTED = "predicted"
LOW, HIGH = "low", "high"
PREDICTION_SET = "prediction_set"


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
    classes = pd.array(np.array(target.class_names, object)[decided(outputs, target)], dtype="str")
    return pd.DataFrame(dict(zip(names(target), (classes, *outputs.T), strict=True)), index=index)


def decided(probabilities: np.ndarray, target: Target) -> np.ndarray:
    """(n,) numbers of the predicted classes of (n, n_classes): the most probable ones, unless errors have costs."""
    if target.decision is None or target.positive is None:
        return np.asarray(probabilities.argmax(1))
    is_positive = probabilities[:, target.positive].astype(np.float64) >= target.decision.threshold
    return np.where(is_positive, target.positive, 1 - target.positive)


def set_members(probabilities: np.ndarray, target: Target, level: float) -> np.ndarray:
    """(n, n_classes) booleans: which classes are in the prediction set of each row, for a target that has sets."""
    assert target.sets is not None
    return target.sets.members(probabilities, decided(probabilities, target), level)


def set_texts(members: np.ndarray, target: Target) -> list[str]:
    """Each prediction set as a JSON array of class names."""
    class_names = np.array(target.class_names, object)
    return [json.dumps(class_names[row].tolist(), ensure_ascii=False) for row in members]


def names(target: Target, interval: PredictionInterval | None = None) -> tuple[str, ...]:
    """Columns of the table of predictions."""
    ends = (LOW, HIGH) if interval else ()
    return (PREDICTED, *(f"probability_{name}" for name in target.class_names), *ends)


def outputs_of(predictions: pd.DataFrame, target: Target) -> np.ndarray:
    """(n, n_outputs) float32: the inverse of `named`, without the intervals."""
    outputs: np.ndarray = predictions[[*names(target)[bool(target.class_names) :]]].to_numpy(np.float32)
    return outputs
