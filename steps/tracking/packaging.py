"""Trained networks as logged models that take raw input: rows of a table, or pixels."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import Model, ModelSignature
from mlflow.types.schema import AnyType, ColSpec, DataType, Schema

from steps.datasets import Dataset
from steps.datasets.dataset import COLUMNS
from steps.datasets.drift.profile import PROFILE, Profile
from steps.datasets.interface import Interface
from steps.datasets.tabular.arrays import plain
from steps.datasets.tabular.columns import Columns
from steps.datasets.tabular.predictions import PREDICTED, names
from steps.tracking import image_flavor
from steps.tracking.project import PACKAGE

_EXAMPLES = 5  # rows
_IMAGES = ("mlflow", "tensorflow", "keras", "numpy")  # packages required by a model
_TABLES = (*_IMAGES, "pandas", "pyarrow")


def log_model(network: Any, dataset: Dataset, metadata: Mapping[str, Any]) -> str:
    """Log a model in the active run: a Keras model for images, or a model of raw rows for a table.

    It has a signature, an input example and pinned requirements.

    Args:
        network: The trained Keras model of encoded rows.
        dataset: Data set with the split `test`, from which a table's example is taken.
        metadata: Metadata in addition to the interface.

    Returns:
        The URI of the logged model.
    """
    profile = dataset.profile or Profile(())
    described = {**Interface.of(dataset).as_metadata(), "has_profile": bool(profile.histograms), **metadata}
    if dataset.columns is None:
        return _log_images(network, np.asarray(dataset.splits["train"].features[:_EXAMPLES]), profile, described)
    rows = dataset.test_input[:_EXAMPLES]
    return _log_table(network, dataset.columns, rows, profile, described)


def _log_images(network: Any, example: np.ndarray, profile: Profile, metadata: Mapping[str, Any]) -> str:
    info = Model.log(
        artifact_path=None,
        name="model",
        flavor=image_flavor,
        metadata=metadata,
        network=network,
        profile=profile.to_json(),
        input_example=example,
        pip_requirements=_pinned(_IMAGES),
    )
    return str(info.model_uri)


def _log_table(
    network: Any, columns: Columns, example: pd.DataFrame, profile: Profile, metadata: Mapping[str, Any]
) -> str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network.save(folder / "model.keras")
        (folder / COLUMNS).write_text(columns.to_json(), encoding="utf-8")
        (folder / PROFILE).write_text(profile.to_json(), encoding="utf-8")
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        code = shutil.copytree(PACKAGE / "datasets" / "tabular", folder / "tabular", ignore=ignored)
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(PACKAGE / "registered" / "table_model.py"),
            artifacts={
                "model": str(folder / "model.keras"),
                "columns": str(folder / COLUMNS),
                "profile": str(folder / PROFILE),
                "tabular": str(code),
            },
            signature=_signature(columns),
            input_example=plain(example),
            metadata=metadata,
            pip_requirements=_pinned(_TABLES),
        )
    return str(info.model_uri)


def _signature(columns: Columns) -> ModelSignature:
    """Column names with any type: MLflow would refuse integers in place of floats, and codes without a missing cell.

    The model checks the cells itself. A column that had missing cells is optional for MLflow; the model refuses rows in
    which the whole column is missing.
    """
    inputs = [ColSpec(AnyType(), column.name, required=not column.n_missing) for column in columns.schema.columns]
    kinds = {PREDICTED: DataType.string if columns.target.class_names else DataType.float}
    outputs = [ColSpec(kinds.get(name, DataType.float), name) for name in names(columns.target, columns.interval)]
    return ModelSignature(Schema(inputs), Schema(outputs))


def _pinned(packages: tuple[str, ...]) -> list[str]:
    return [f"{package}=={version(package)}" for package in packages]
