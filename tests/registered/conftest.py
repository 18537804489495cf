"""Two versions of a registered model, made once for all tests that use them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import mlflow
import pytest
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from steps.datasets import Dataset, Split
from tests.conftest import copy_store
from tests.running import run_step, succeeded

POINT = {
    "n_layers": 1, "units_0": 128, "activation": "relu", "dropout": 0.0, "input_dropout": 0.0, "batch_norm": True,
    "optimizer": "adamw", "learning_rate": 0.005, "weight_decay": 0.01, "batch_size": 64, "label_smoothing": 0.0,
    "augmentation": "none",
}  # fmt: skip


REQUIRED = ("--require", "accuracy>=0.8,recall>=0.5")


@pytest.fixture
def unseen(digits: Dataset) -> Split:
    """The test split, which the models have not seen."""
    return digits.splits["test"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A store with digits-mlp version 1, the champion, and version 2, trained longer; both in float32."""
    folder = tmp_path_factory.mktemp("registered")
    copy_store(empty_store, folder)
    points = folder / "points.json"
    points.write_text(json.dumps([POINT]))
    succeeded(run_step(folder, "download", "--dataset", "digits"))
    succeeded(run_step(folder, "tune", "--n-trials", "1", "--max-epochs", "1", "--points", str(points)))
    succeeded(run_step(folder, "evaluate", "--final-epochs", "12", "--precision", "float32"))
    succeeded(run_step(folder, "evaluate", "--final-epochs", "13", "--precision", "float32", *REQUIRED))
    return folder


@pytest.fixture
def client(folder: Path) -> MlflowClient:
    uri = f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return MlflowClient()


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    """A folder with a copy of the store, to be changed; the artifacts stay where they are."""
    shutil.copy(folder / "mlflow.db", tmp_path)
    return tmp_path


@pytest.fixture
def second(client: MlflowClient) -> ModelVersion:
    return client.get_model_version("digits-mlp", "2")
