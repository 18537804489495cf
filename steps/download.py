"""download: a data set by name -> the artifact `dataset/`, verified, split and ready to be memory-mapped."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from steps.base.libraries import quiet_libraries
from steps.cli.command import step_command
from steps.cli.options import download_options, seed_option


@step_command
@download_options
@seed_option
def download(**parameters: Any) -> None:
    """Load a data set, verify it, split it, and log it as the artifact dataset/.

    \b
    Example:
      mlflow run . -e download -P dataset=digits -P validation_fraction=0.2
    """
    quiet_libraries()
    import mlflow

    from steps.datasets.catalogue import load_dataset
    from steps.tracking.dataset_inputs import log_inputs
    from steps.tracking.runs import step_run

    with step_run("download", parameters, step_fingerprint(parameters)) as run:
        dataset = load_dataset(parameters["dataset"], parameters["validation_fraction"], parameters["seed"])
        with tempfile.TemporaryDirectory() as folder:
            dataset.save(Path(folder))
            mlflow.log_artifacts(folder, "dataset")
        log_inputs(dataset)
        mlflow.set_tag("dataset_digest", dataset.digest)
    sizes = ", ".join(f"{len(split):,} {name}" for name, split in dataset.splits.items())
    click.echo(f"Data: {dataset.name}, {sizes} samples, digest {dataset.digest[:12]} (run {run.info.run_id})")


def step_fingerprint(parameters: Mapping[str, Any], _: str = "") -> str:
    """Fingerprint of a download run, which has no input."""
    from steps.tracking.fingerprint import fingerprint

    return fingerprint("download", parameters)


if __name__ == "__main__":
    download()
