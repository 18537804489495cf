"""Models by URI: describe, load, apply and check them, with one-line errors."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import mlflow
import numpy as np
import pandas as pd
import yaml
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.pyfunc import PyFuncModel

from steps.base.errors import InputError, StepError
from steps.datasets.dataset import COLUMNS
from steps.datasets.drift.profile import PROFILE, Profile
from steps.datasets.interface import Interface
from steps.datasets.tabular.columns import Columns
from steps.datasets.tabular.predictions import outputs_of
from steps.datasets.tabular.target import Target
from steps.datasets.tabular.values import Fault
from steps.tasks.checks import Check
from steps.tracking.artifacts import way_back
from steps.tracking.model_uris import folder_of

Content = TypeVar("Content")

_SHOWN = 6  # columns that a check names
_CHUNK = 1 << 19  # cells that MLflow converts to Python values at a time
_UNREADABLE = (
    MlflowException,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    zipfile.BadZipFile,
    yaml.YAMLError,
)  # fmt: skip -- errors of reading a truncated or changed file, depending on the position of the damage


def describe_model(uri: str) -> Model:
    """MLflow's description of a model, without the model itself.

    Raises:
        StepError: The description cannot be read.
    """
    try:
        return Model.load(uri)
    except _UNREADABLE as error:
        raise _unreadable(uri, error) from error


def interface_of(uri: str) -> Interface:
    """Inputs and outputs of the model.

    Raises:
        StepError: The description cannot be read.
        InputError: This project did not register the model, or another version of it did.
    """
    described = describe_model(uri)
    metadata = described.metadata or {}
    if "target" not in metadata:
        raise InputError(f"model_uri must be a model of this project, got {uri!r}, whose target is unknown")
    with written_by_this_version(uri):
        return Interface(
            target=Target.from_json(metadata["target"]),
            n_features=int(metadata["n_features"]),
            dtype=np.dtype(metadata["dtype"]),
            feature_max=float(metadata["feature_max"]),
            image_shape=tuple(metadata["image_shape"]) if metadata["image_shape"] else None,
            level_counts=tuple(metadata["level_counts"]),
            columns=_read(uri, COLUMNS, Columns.from_json) if metadata["is_table"] else None,
        )


@contextmanager
def written_by_this_version(uri: str) -> Iterator[None]:
    """Read what this project has written into a model.

    Raises:
        InputError: Another version of it has written something else.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"model_uri must be a model that this version of the project can read, got {uri!r}, which another one "
            f"has registered ({type(error).__name__}: {error}); train it again"
        ) from error


def profile_of(uri: str) -> Profile:
    """The profile of the training rows; an empty one if the model was registered without.

    Raises:
        StepError: It cannot be read.
    """
    if not (describe_model(uri).metadata or {}).get("has_profile"):
        return Profile(())
    return _read(uri, PROFILE, Profile.from_json)


def _read(uri: str, name: str, parse: Callable[[str], Content]) -> Content:
    """The content of a text file of the model."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = mlflow.artifacts.download_artifacts(f"{uri}/artifacts/{name}", dst_path=folder)
            return parse(Path(path).read_text(encoding="utf-8"))
        except _UNREADABLE as error:
            raise _unreadable(uri, error) from error


def load_model(uri: str) -> PyFuncModel:
    """The model as users load it; imports TensorFlow.

    Raises:
        StepError: Its files are damaged or out of reach; says which model and how.
    """
    try:
        return mlflow.pyfunc.load_model(uri, suppress_warnings=True)
    except _UNREADABLE as error:
        raise _unreadable(uri, error) from error


def load_network(uri: str) -> Any:
    """The Keras model inside a model, which takes encoded rows; imports TensorFlow.

    Raises:
        StepError: Its files are damaged or out of reach; says which model and how.
    """
    if "tensorflow" not in describe_model(uri).flavors:
        return load_model(uri).unwrap_python_model().network
    try:
        return mlflow.tensorflow.load_model(uri)
    except _UNREADABLE as error:
        raise _unreadable(uri, error) from error


def apply(model: PyFuncModel, given: Any, target: Target) -> np.ndarray:
    """(n, n_outputs) float32 outputs of a loaded model for raw rows (DataFrame) or features (n, n_features)."""
    n_rows = max(32, _CHUNK // given.shape[1] // 32 * 32)  # Keras predicts 32 at a time
    parts = (model.predict(given[start : start + n_rows]) for start in range(0, len(given), n_rows))
    return np.concatenate([outputs_of(part, target) if isinstance(part, pd.DataFrame) else part for part in parts])


def load_predictor(uri: str) -> Callable[[Any], tuple[np.ndarray, list[Fault]]]:
    """A function that applies a model to features, or to a table of raw rows with the model's own code.

    It returns (n, n_outputs) float32, and the invalid cells, which count as missing.

    Raises:
        StepError: Its files are damaged or out of reach; says which model and how.
    """
    if "tensorflow" in describe_model(uri).flavors:
        network = load_network(uri)
        return lambda features: (network.predict_on_batch(features), [])
    model = load_model(uri).unwrap_python_model()

    def predict(rows: Any) -> tuple[np.ndarray, list[Fault]]:
        faults: list[Fault] = []
        return model.outputs(rows, faults), faults

    return predict


def example_of(uri: str) -> np.ndarray | None:
    """(m, n_features) training images that were logged with a model; None if it has no such example.

    Raises:
        StepError: Its files are damaged or out of reach.
    """
    try:
        example = describe_model(uri).load_input_example(uri)
    except _UNREADABLE as error:
        raise _unreadable(uri, error) from error
    return example if isinstance(example, np.ndarray) and example.ndim == 2 and len(example) else None


def check_interface(model: PyFuncModel, model_uri: str) -> Check:
    """Return whether the logged input example fits the logged signature, and so does the output for it."""
    name, described = "signature_and_example", model.metadata
    if described.signature is None or described.signature.outputs is None:
        return Check(name, False, "the model has no signature")
    try:
        found = model.predict(described.load_input_example(model_uri))
    except (MlflowException, ValueError, TypeError, OSError) as error:
        return Check(name, False, f"the input example does not work: {' '.join(str(error).split())[:200]}")
    if isinstance(found, pd.DataFrame):
        return _check_columns(name, found, described.signature)
    expected = described.signature.outputs.inputs[0]
    fits = found.dtype == expected.type and found.shape[1:] == tuple(expected.shape[1:])
    finite = bool(np.isfinite(found).all())
    holds = "holds" if fits and finite else f"promises finite {expected.type} {expected.shape}"
    return Check(name, fits and finite, f"the input example gives {found.dtype} {found.shape}, the signature {holds}")


def _check_columns(name: str, found: pd.DataFrame, signature: ModelSignature) -> Check:
    expected = signature.outputs.input_names()
    fits = found.columns.tolist() == expected
    finite = not found.isna().any(axis=None) and bool(np.isfinite(found.select_dtypes("number")).all(axis=None))
    holds = "holds" if fits and finite else f"promises {', '.join(expected)} without missing values"
    given = list(found.columns)
    shown = ", ".join(given if len(given) <= _SHOWN else [*given[: _SHOWN - 1], f"{len(given) - _SHOWN + 1} more"])
    return Check(name, fits and finite, f"the input example gives {shown}, the signature {holds}")


def _unreadable(uri: str, error: Exception) -> StepError:
    if (folder := folder_of(uri)) is not None and not folder.is_dir():
        return StepError(f"the files of the model {uri} are missing at {folder}; {way_back(folder)}")
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    return StepError(
        f"the model {uri} cannot be read: {reason}; if its files are damaged, register it again or choose another"
    )
