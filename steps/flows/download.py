"""download: load, verify and split a data set, show it, and log it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import mlflow

from steps.cli.invocation import Invocation
from steps.datasets import Dataset
from steps.datasets.dataset import COLUMNS
from steps.datasets.loading import content_of, load_dataset
from steps.datasets.overview.overview import OVERVIEW, Overview, overview_of
from steps.datasets.request import DataRequest
from steps.flows.fingerprint import step_fingerprint
from steps.report.data.page import data_page
from steps.report.data.terminal import print_data
from steps.tracking.dataset_inputs import log_inputs
from steps.tracking.runs import given_experiment, step_run
from steps.tracking.tags import DATASET_DIGEST_TAG

PAGE, OVERVIEW_FILE = "data.html", "data.json"


def run(request: DataRequest, invocation: Invocation) -> None:
    given_experiment()  # an experiment that cannot be used is refused before the data are loaded
    fingerprint = step_fingerprint(invocation, None, content_of(request))
    dataset = load_dataset(request)  # before the run: data that cannot be used leave nothing behind
    overview = overview_of(dataset)
    print_data(dataset, overview)
    with step_run("download", invocation.params, fingerprint) as own:
        _log(dataset, overview)
    sizes = ", ".join(f"{len(split):,} {name}" for name, split in dataset.whole_splits.items())
    click.echo(f"Data: {dataset.name}, {sizes} samples, digest {dataset.digest[:12]} (run {own.info.run_id})")


def _log(dataset: Dataset, overview: Overview) -> None:
    with tempfile.TemporaryDirectory() as folder:
        dataset.save(Path(folder))
        mlflow.log_artifacts(folder, "dataset")
        if dataset.columns:
            mlflow.log_artifact(str(Path(folder) / COLUMNS))
    mlflow.log_text(data_page(dataset, overview), PAGE)
    mlflow.log_text(OVERVIEW.dump_json(overview, indent=1).decode(), OVERVIEW_FILE)
    if overview.discrimination:
        mlflow.log_metric("split_auc", overview.discrimination.auc)
    log_inputs(dataset)
    found = {"task": dataset.target.task, "target": dataset.target.name}
    sizes = {"n_rows": sum(map(len, dataset.whole_splits.values())), "n_features": dataset.n_features}
    mlflow.log_params({f"found_{name}": value for name, value in found.items() if value} | sizes)
    mlflow.set_tag(DATASET_DIGEST_TAG, dataset.digest)
