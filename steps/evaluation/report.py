"""The report of an evaluate run, drawn from its artifacts."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from steps.datasets import Dataset
from steps.report.evaluation.draw import draw_evaluation
from steps.report.evaluation.result import EvaluationResult
from steps.tracking.runs import artifact_path

EVALUATION = "evaluation.json"  # all that the report shows but the predictions
PREDICTIONS = "predictions.npz"  # `outputs` and `targets` of the test split


def draw(run: Run, dataset: Dataset) -> None:
    """Draw the report and the figures of an evaluate run from its artifacts, and log them onto it.

    Args:
        dataset: That of the run, with its test split.

    Raises:
        InputError: The run lacks one of the artifacts.
    """
    run_id = run.info.run_id
    result = EvaluationResult.from_json(artifact_path(run_id, EVALUATION).read_text(encoding="utf-8"))
    outputs = np.load(artifact_path(run_id, PREDICTIONS), allow_pickle=False)["outputs"]
    with tempfile.TemporaryDirectory() as folder:
        draw_evaluation(result, dataset, outputs, Path(folder))
        MlflowClient().log_artifacts(run_id, folder)
