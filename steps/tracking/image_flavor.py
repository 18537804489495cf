"""A custom flavor of MLflow: a Keras model of images that `mlflow.tensorflow` loads, and a pyfunc that checks pixels.

The module itself is what `mlflow.models.Model.log` takes as a flavor.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.models import Model, ModelSignature, infer_signature

from steps.datasets.drift.profile import PROFILE
from steps.tracking.project import PACKAGE

_CODE = PACKAGE / "registered" / "image_model.py"


def save_model(
    path: str,
    mlflow_model: Model,
    network: Any,
    profile: str,
    input_example: np.ndarray,
    pip_requirements: list[str],
) -> None:
    """Write the files of both flavors.

    Args:
        path: Folder of the model, which does not exist yet.
        mlflow_model: Its description.
        network: The Keras model.
        profile: JSON of the profile of the training images.
        input_example: (n, n_features) uint8.
    """
    signature = infer_signature(input_example, network.predict(input_example, verbose=0))
    mlflow.tensorflow.save_model(
        network,
        path,
        mlflow_model=mlflow_model,
        signature=signature,
        input_example=input_example,
        pip_requirements=pip_requirements,
    )
    # The code has a name of its own, so that models with other code can be loaded in one process.
    name = f"image_model_{hashlib.sha256(_CODE.read_bytes()).hexdigest()[:12]}"
    folder = Path(path)
    (folder / "artifacts").mkdir()  # where the files of a model of a table are
    (folder / "artifacts" / PROFILE).write_text(profile, encoding="utf-8")
    (folder / "code").mkdir()
    shutil.copy(_CODE, folder / "code" / f"{name}.py")
    theirs = mlflow_model.flavors[mlflow.pyfunc.FLAVOR_NAME]
    conda_env, python_env = theirs["env"]["conda"], theirs["env"]["virtualenv"]
    mlflow.pyfunc.add_to_model(
        mlflow_model, name, data=theirs["data"], code="code", conda_env=conda_env, python_env=python_env
    )
    mlflow_model.signature = ModelSignature(outputs=signature.outputs)
    mlflow_model.save(str(folder / "MLmodel"))
