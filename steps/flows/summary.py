"""The summary of a run of the whole pipeline."""

from __future__ import annotations

import shlex

import click
import mlflow
from mlflow.entities import Run

from steps.datasets import Dataset
from steps.report.terminal import print_table
from steps.tasks.metric import Interval
from steps.tracking.registry import score_text, version_of_run
from steps.tracking.tags import PROMOTION_REASON_TAG, REASON_TAG, STATUS_TAG
from steps.tracking.ui_urls import experiment_url


def print_summary(dataset: Dataset, data_run: Run, tune_run: Run, evaluated: Run) -> None:
    """Show the result of each step, and the addresses of runs and reports."""
    version = version_of_run(evaluated.info.run_id)
    assert version is not None  # evaluate registers one, and a run without one is not reused
    aliases = ", ".join(sorted(version.aliases)) or "no alias"
    tags = version.tags
    metric = tags["metric"]
    decision = f"{tags[STATUS_TAG]}, because {tags[REASON_TAG]}; {tags[PROMOTION_REASON_TAG]}"
    click.echo()
    print_table(
        [
            ("download", data_run.info.run_id[:8], _data(dataset)),
            ("tune", tune_run.info.run_id[:8], _trials(tune_run, metric)),
            ("evaluate", evaluated.info.run_id[:8], _score(evaluated, metric)),
            ("model", "", f"{version.name} version {version.version} ({aliases}): {decision}"),
        ]
    )
    click.echo()
    for name, text in {
        **_all_runs(mlflow.get_tracking_uri(), evaluated.info.experiment_id),
        "Reports": "the artifact report.html of the runs tune and evaluate",
        "Registry": "mlflow run . -e registry --env-manager local",
    }.items():
        click.echo(f"{name:9} {text}")


def _data(dataset: Dataset) -> str:
    target = f" of {dataset.target.name}" if dataset.target.name else ""
    return f"{dataset.name}, {dataset.target.task}{target}, digest {dataset.digest[:12]}"


def _trials(run: Run, metric: str) -> str:
    metrics = run.data.metrics
    counts = ", ".join(f"{metrics.get(f'n_{state}', 0):.0f} {state}" for state in ("complete", "pruned", "failed"))
    return f"validation {score_text(metric, Interval(metrics[f'best_val_{metric}']))}; trials: {counts}"


def _score(run: Run, metric: str) -> str:
    values = (run.data.metrics.get(f"test_{metric}{end}") for end in ("", "_low", "_high"))
    return f"test {score_text(metric, Interval(*values))}"


def _all_runs(tracking_uri: str, experiment_id: str) -> dict[str, str]:
    """Lines that lead to all runs in the MLflow UI."""
    page = experiment_url(tracking_uri, experiment_id)
    if tracking_uri.startswith("http"):
        return {"Runs": page}
    return {"Runs": f"mlflow ui --backend-store-uri {shlex.quote(tracking_uri)}", "": f"then open {page}"}
