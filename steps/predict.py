"""predict: a registered model and rows in files -> a table of classes and probabilities, in constant memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steps.base.errors import InputError
from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.cli.command import step_command
from steps.cli.options import model_uri_option
from steps.cli.types import OneOf

if TYPE_CHECKING:
    from steps.datasets.inputs import BadRow, Reader
    from steps.datasets.interface import Interface

_SAID = 10  # bad rows that are named on the terminal
_KEPT = 1000  # bad rows that are named in the artifact


@step_command
@model_uri_option
@click.option(
    "--input", "input_", default="", help="A .csv, .parquet, .npy or .npz file, or a folder or glob of images."
)
@click.option("--output", default="", help="The .csv or .parquet file to be written.")
@click.option(
    "--overwrite", type=OneOf(("true", "false")), default="false", help="Replace the output where it exists already."
)
@click.option(
    "--invert",
    type=OneOf(("true", "false")),
    default="false",
    help="Images only: swap dark and light, for dark writing on white paper (MNIST is white on black).",
)
def predict(model_uri: str, input_: str, output: str, overwrite: str, invert: str) -> None:
    """Predict the class of each row or image of the input, with the probability of each class.

    Tables have a line of column names and the features in the order of the training data; where there is a column
    label (in a .npz file: an array labels), the metrics are logged. A bad row is reported and left out.

    \b
    Examples:
      mlflow run . -e predict -P input=$PWD/rows.csv -P output=$PWD/predicted.csv
      mlflow run . -e predict -P model_uri=models:/mnist-mlp/3 -P input=$PWD/scans -P invert=true \\
        -P output=$PWD/predicted.parquet
    """
    quiet_libraries()
    from steps.datasets.inputs import open_input
    from steps.datasets.outputs import check_output
    from steps.tracking.models import find_model, interface_of
    from steps.tracking.runs import step_run

    path = check_output(output, overwrite=overwrite == "true")
    version_uri = find_model(model_uri)
    interface = interface_of(version_uri)
    reader = open_input(input_, interface, invert=invert == "true")
    parameters = {"model_uri": model_uri, "input": input_, "output": output, "overwrite": overwrite, "invert": invert}
    with step_run("predict", parameters):
        _predict(version_uri, interface, reader, path)


def _predict(model_uri: str, interface: Interface, reader: Reader, path: Path) -> None:
    import_tensorflow()
    import mlflow

    from steps.datasets.inputs import chunks
    from steps.datasets.outputs import PredictionWriter
    from steps.report.terminal import RowsDisplay
    from steps.tasks.task import task_of
    from steps.tracking.models import load_keras

    model = load_keras(model_uri)
    metrics = task_of(interface).streamed()
    bad: list[BadRow] = []
    n_good = n_bad = 0
    with PredictionWriter(path, reader.key, interface.class_names) as writer, RowsDisplay(reader.size) as display:
        for chunk in chunks(reader, interface):
            n_good, n_bad = n_good + len(chunk.keys), n_bad + len(chunk.bad)
            bad += chunk.bad[: _KEPT - len(bad)]
            display.rows(chunk.position, n_good + n_bad, n_bad)
            if not chunk.keys:
                continue
            probabilities = model.predict_on_batch(chunk.features)
            writer.write(chunk.keys, probabilities)
            if chunk.labels is not None:
                metrics.add(chunk.labels, probabilities)
        if not n_good:
            raise InputError(f"input must have rows that the model takes, got none; {reader.key} {_said(bad[0])}")
    scores = metrics.result()
    mlflow.log_metrics({"n_predicted": n_good, "n_bad": n_bad, **scores})
    mlflow.set_tag("predicted_with", model_uri)
    _report(bad, n_bad, reader.key)
    against = f", {metrics.summary()} against its labels" if scores else ""
    click.echo(f"Predicted {n_good:,} rows with {model_uri}{against}: {path}")


def _report(bad: list[BadRow], n_bad: int, key: str) -> None:
    """Name the first bad rows on the terminal, and more of them in the artifact bad_rows.csv."""
    if not bad:
        return
    import mlflow

    mlflow.log_text(_table(key, bad), "bad_rows.csv")
    for row in bad[:_SAID]:
        click.echo(f"Bad {key} {_said(row)}", err=True)
    if n_bad > _SAID:
        click.echo(f"{n_bad:,} bad rows in all; the first {len(bad):,} are in the artifact bad_rows.csv", err=True)


def _table(key: str, bad: Iterable[BadRow]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([key, "reason"])
    writer.writerows((row.key, row.reason) for row in bad)
    return file.getvalue()


def _said(row: BadRow) -> str:
    return f"{row.key}: {row.reason}"


if __name__ == "__main__":
    predict()
