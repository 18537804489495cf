"""download: load, verify and split a data set, and log it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import mlflow

from steps.cli.invocation import Invocation
from steps.datasets.catalogue import load_dataset
from steps.flows.fingerprint import step_fingerprint
from steps.flows.settings import DownloadSettings
from steps.tracking.dataset_inputs import log_inputs
from steps.tracking.runs import step_run
from steps.tracking.tags import DATASET_DIGEST_TAG


def run(settings: DownloadSettings, invocation: Invocation) -> None:
    with step_run("download", invocation.params, step_fingerprint(invocation, None)) as own:
        dataset = load_dataset(settings.dataset, settings.validation_fraction, settings.seed)
        with tempfile.TemporaryDirectory() as folder:
            dataset.save(Path(folder))
            mlflow.log_artifacts(folder, "dataset")
        log_inputs(dataset)
        mlflow.set_tag(DATASET_DIGEST_TAG, dataset.digest)
    sizes = ", ".join(f"{len(split):,} {name}" for name, split in dataset.splits.items())
    click.echo(f"Data: {dataset.name}, {sizes} samples, digest {dataset.digest[:12]} (run {own.info.run_id})")
