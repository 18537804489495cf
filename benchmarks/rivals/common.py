"""Common parts of the rivals: the points, the data, and an idiomatic Keras model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import yaml

from steps.datasets import Dataset

POINTS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parents[1] / "points.yaml").read_text())
BATCH_SIZE = 128


def load(folder: Path) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """(features, labels) of train and of validation; float64 pixels in [0, 1], as `x / 255.0` gives them."""
    splits = Dataset.load(folder, ("train", "validation")).splits
    return tuple((split.features / 255.0, np.asarray(split.targets)) for split in splits.values())


def build(point: dict[str, Any]) -> keras.Model:
    """Compiled MLP of one point."""
    model = keras.Sequential([keras.Input((784,))])
    for name in ("units_0", "units_1"):
        model.add(keras.layers.Dense(point[name], activation="relu"))
        model.add(keras.layers.Dropout(point["dropout"]))
    model.add(keras.layers.Dense(10, activation="softmax"))
    optimizer = keras.optimizers.Adam(point["learning_rate"])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def named(logs: dict[str, float]) -> dict[str, float]:
    """Keras' epoch logs under the metric names that all systems use here."""
    return {"train_loss": logs["loss"], "val_log_loss": logs["val_loss"], "val_accuracy": logs["val_accuracy"]}
