"""redraw: draw the report and the figures of a download, tune or evaluate run anew."""

from __future__ import annotations

import click
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from steps.datasets.dataset import FOLDS, SPLITS
from steps.datasets.overview.overview import OVERVIEW
from steps.evaluation.drawing import draw as draw_evaluate_run
from steps.flows.download import OVERVIEW_FILE, PAGE
from steps.report.data.page import data_page
from steps.search.drawing import draw as draw_tune_run
from steps.tracking.artifacts import read_artifact
from steps.tracking.data import load_data
from steps.tracking.runs import STEP_TAG, find_step_run


def draw_download_run(run: Run) -> None:
    """Draw `data.html` of a download run from its artifacts, and log it onto the run.

    Raises:
        InputError: The run lacks one of the artifacts.
    """
    run_id = run.info.run_id
    overview = read_artifact(run_id, OVERVIEW_FILE, OVERVIEW.validate_json)
    MlflowClient().log_text(run_id, data_page(load_data(run_id, (*SPLITS, FOLDS)), overview), PAGE)


_FIGURES = "report.html and figures/"
_DRAW = {  # by step
    "download": (draw_download_run, PAGE),
    "tune": (draw_tune_run, _FIGURES),
    "evaluate": (draw_evaluate_run, _FIGURES),
}


def run(run_id: str) -> None:
    found = find_step_run(run_id, tuple(_DRAW), "run_id")
    step = found.data.tags[STEP_TAG]
    draw, files = _DRAW[step]
    draw(found)
    click.echo(f"Drawn: {files} of the {step} run {run_id}")
