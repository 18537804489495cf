"""predict: the rows against the training rows, and their metric against that of the test rows."""

from __future__ import annotations

import click
import mlflow
from mlflow.tracking import MlflowClient

from steps.datasets.drift.rows import RowCounts
from steps.datasets.interface import Interface
from steps.report.drift.page import drift_page
from steps.report.drift.text import drift_line, drift_table
from steps.tasks.moved import Moved
from steps.tasks.task import StreamedScores, task_of
from steps.tracking.registry import score_of


def report_drift(counts: RowCounts, interface: Interface, model_uri: str) -> None:
    """One line if columns differ; `drift.csv`, `drift.html` and metrics on the run if the model has a profile."""
    drifts = counts.drifts()
    if not drifts:
        return
    noun = "columns" if interface.columns else "measures of the images"
    found = [drift for drift in drifts if drift.differs]
    title = f"Rows for {model_uri.removeprefix('models:/')}"
    mlflow.log_text(drift_page(drifts, noun, title, counts.n_rows, counts.n_training), "drift.html")
    mlflow.log_text(drift_table(drifts), "drift.csv")
    mlflow.log_metrics({"n_drifted_columns": len(found), "max_psi": max((drift.psi for drift in found), default=0.0)})
    if line := drift_line(drifts, noun):
        mlflow.set_tag("drift", line)
        click.echo(f"Drift: {line}", err=True)


def report_score(scores: StreamedScores, interface: Interface, model_uri: str) -> None:
    """Whether the primary metric has moved since the test, in a line, as metrics and as a tag, if rows have labels."""
    score = scores.primary()
    if score is None:
        return
    name, _, version = model_uri.removeprefix("models:/").rpartition("/")
    metric = task_of(interface).primary
    test = score_of(MlflowClient().get_model_version(name, version), metric.name)
    moved = Moved(metric, int(scores.result()["example_count"]), score, test)
    mlflow.log_metrics(moved.as_metrics())
    if text := moved.text():
        mlflow.set_tag("against_test", text)
        click.echo(text)
