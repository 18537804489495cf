"""The report and the figures of an evaluate run, drawn from its artifacts; without TensorFlow."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from steps.datasets.dataset import SPLITS
from steps.report.evaluation.draw import draw_evaluation
from steps.report.evaluation.result import RESULT
from steps.tracking.artifacts import read_artifact
from steps.tracking.data import load_data

EVALUATION = "evaluation.json"  # everything in the report except the predictions
PREDICTIONS = "predictions.npz"  # `outputs` and `targets` of the test split


def draw(run: Run) -> None:
    """Draw `report.html` and `figures/` of an evaluate run from its artifacts, and log them onto the run.

    Raises:
        InputError: The run lacks one of the artifacts, or its data are gone.
    """
    run_id = run.info.run_id
    result = read_artifact(run_id, EVALUATION, RESULT.validate_json)
    outputs = read_artifact(run_id, PREDICTIONS, _outputs)
    dataset = load_data(result.data_run_id, SPLITS)
    dataset = dataset.with_decision(result.decision).with_sets(result.sets)
    with tempfile.TemporaryDirectory() as folder:
        draw_evaluation(result, dataset, outputs, Path(folder))
        MlflowClient().log_artifacts(run_id, folder)


def _outputs(content: bytes) -> np.ndarray:
    return np.asarray(np.load(io.BytesIO(content), allow_pickle=False)["outputs"])
