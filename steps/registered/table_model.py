"""The registered model of a table: raw rows in, predictions out.

MLflow copies this file into the model, next to `model.keras`, `columns.json` and the folder `tabular`, and runs the
copy. Of this project, it imports only that folder, so that a model predicts the same wherever it is loaded.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import mlflow
import numpy as np
import pandas as pd
import tensorflow as tf
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel, PythonModelContext

_CHUNK = 8192  # rows


class TableModel(PythonModel):
    """Model that encodes raw rows by column name, applies the network, and names its outputs.

    Attributes:
        columns: The `Columns` of the table.
        network: The Keras model of encoded rows.
    """

    columns: Any
    network: keras.Model

    def load_context(self, context: PythonModelContext) -> None:
        """Read the files of the model, and compile its network."""
        load = _package(Path(context.artifacts["tabular"]))
        self._errors, self._predictions = load("errors"), load("predictions")
        self.columns = load("columns").Columns.from_json(Path(context.artifacts["columns"]).read_text(encoding="utf-8"))
        self.network = keras.saving.load_model(context.artifacts["model"], compile=False)
        width = self.columns.encoding.n_features
        compiled = tf.function(
            lambda x: self.network(x, training=False), input_signature=[tf.TensorSpec((None, width), tf.float32)]
        )
        compiled(np.zeros((1, width), np.float32))
        self._compiled = compiled

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """Predictions with the index of the rows; extra columns, missing cells and unseen levels are allowed.

        Raises:
            MlflowException: A column is missing, or a cell is not a value of its column; HTTP status 400 from a server.
        """
        try:
            outputs = self.outputs(model_input)
        except self._errors.SchemaError as error:
            raise MlflowException(str(error), INVALID_PARAMETER_VALUE) from error
        found: pd.DataFrame = self._predictions.named(
            outputs, self.columns.target, self.columns.interval, model_input.index
        )
        return found

    def outputs(self, rows: Any, faults: list[Any] | None = None) -> np.ndarray:
        """(n, n_outputs) float32 of the network for raw rows, an Arrow table or a DataFrame.

        Args:
            faults: Collects invalid cells, which count as missing; without it, the first one raises.

        Raises:
            ValueError: A column is missing, or a cell is not a value of its column.
        """
        return self.apply(self.encode(rows, faults))

    def encode(self, rows: Any, faults: list[Any] | None = None) -> np.ndarray:
        """(n, n_features) float32 of raw rows; as `outputs`."""
        features: np.ndarray = self.columns.encoding.encode(rows, faults)
        return features

    def apply(self, features: np.ndarray) -> np.ndarray:
        """(n, n_outputs) float32 of the network for encoded rows (n, n_features)."""
        parts = range(0, max(1, len(features)), _CHUNK)
        return np.concatenate([self._compiled(features[start : start + _CHUNK]).numpy() for start in parts])


def _package(folder: Path) -> Any:
    """A function that imports a module of the folder under a name of its own, so that two models share no code."""
    name = f"{__name__}_{folder.name}"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is not a package")
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    spec.loader.exec_module(package)

    def load(module: str) -> ModuleType:
        return importlib.import_module(f"{name}.{module}")

    return load


mlflow.models.set_model(TableModel())
