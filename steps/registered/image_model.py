"""The registered model of images: raw pixels in, probabilities out.

MLflow copies this file into the model, beside the files of its TensorFlow flavor, and runs the copy. MLflow would cut
0.5 to 0 if the signature promised whole numbers, and refuse bytes if it promised real ones; so the signature promises
nothing of the input, and this file checks it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

_CHUNK = 8192  # rows


class ImageModel:
    """Checks raw pixels and applies the network.

    Args:
        network: The Keras model.
        largest: Value of the brightest pixel.
    """

    def __init__(self, network: keras.Model, largest: float) -> None:
        self._largest, self._width = largest, network.input_shape[1]
        signature = [tf.TensorSpec((None, self._width), tf.float32)]
        self._compiled = tf.function(lambda x: network(x, training=False), input_signature=signature)
        self._compiled(np.zeros((1, self._width), np.float32))

    def predict(self, data: Any, params: Any = None) -> np.ndarray:
        """(n, n_outputs) float32 for images (n, height, width[, 3]), or rows of their pixels in one of the two forms.

        Args:
            data: An array, a list or a DataFrame of whole numbers from 0 to the largest pixel.

        Raises:
            MlflowException: Another shape, or another number; HTTP status 400 of a server.
        """
        pixels = _array(data)
        if pixels.ndim < 2 or pixels[:1].size != (self._width if len(pixels) else 0):
            raise _invalid(f"images must have {self._width} pixels each, got an array of shape {pixels.shape}")
        rows = pixels.reshape(len(pixels), self._width)  # (n, height, width[, 3]) -> (n, n_features)
        self._check(rows)
        parts = range(0, max(1, len(rows)), _CHUNK)
        return np.concatenate([self._compiled(rows[i : i + _CHUNK].astype(np.float32)).numpy() for i in parts])

    def _check(self, rows: np.ndarray) -> None:
        with np.errstate(invalid="ignore"):
            wrong = ~((rows >= 0) & (rows <= self._largest) & (rows % 1 == 0))  # also NaN
        if wrong.any():
            row, column = np.argwhere(wrong)[0].tolist()
            raise _invalid(
                f"pixels must be whole numbers from 0 to {self._largest:g}, got {rows[row, column]:g} "
                f"at position {column} of image {row + 1}"
            )


def _array(data: Any) -> np.ndarray:
    try:
        pixels = np.asarray(data)
        return pixels if pixels.dtype.kind in "biuf" else pixels.astype(np.float64)
    except (ValueError, TypeError) as error:
        raise _invalid(f"images must be numbers, one per pixel, got others ({error})") from error


def _invalid(message: str) -> MlflowException:
    return MlflowException(message, INVALID_PARAMETER_VALUE)


def _load_pyfunc(data_path: str) -> ImageModel:
    """Load the model from its folder `data`; MLflow calls this function by its name."""
    described = Model.load(str(Path(data_path).parent))
    network = keras.saving.load_model(Path(data_path) / "model.keras", compile=False)
    return ImageModel(network, described.metadata["feature_max"])
