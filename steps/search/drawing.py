"""The report and the figures of a tune run, drawn from its artifact; without TensorFlow."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import mlflow
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from steps.report.study.draw import draw_study
from steps.report.study.result import RESULT
from steps.tasks.task import task_of
from steps.tracking.artifacts import read_artifact
from steps.tracking.data import load_data
from steps.tracking.ui_urls import run_url

REPORT = "study/report.json"  # artifact of a tune run: everything in its report


def draw(run: Run) -> None:
    """Draw `report.html` and `figures/` of a tune run from `study/report.json`, and log them onto the run.

    Raises:
        InputError: The run has no such artifact, or its data are gone.
    """
    run_id = run.info.run_id
    result = read_artifact(run_id, REPORT, RESULT.validate_json)
    task = task_of(load_data(result.data_run_id, ()))
    with tempfile.TemporaryDirectory() as folder:
        url = partial(run_url, mlflow.get_tracking_uri(), run.info.experiment_id)
        draw_study(result, task, Path(folder), run_id, url)
        MlflowClient().log_artifacts(run_id, folder)
