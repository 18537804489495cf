"""predict: read the input in chunks, apply the model, write the table, and report bad rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import click
import mlflow

from steps.base.errors import InputError
from steps.cli.invocation import Invocation
from steps.datasets.inputs import chunks
from steps.datasets.outputs import PredictionWriter
from steps.datasets.rows import BadRow
from steps.flows.settings import PredictSettings
from steps.report.terminal import RowsDisplay
from steps.tasks.task import task_of
from steps.tracking.models import load_network
from steps.tracking.runs import step_run

_SHOWN = 10  # bad rows that are named on the terminal
_KEPT = 1000  # bad rows that are named in the artifact


def run(settings: PredictSettings, invocation: Invocation) -> None:
    with step_run("predict", invocation.params):
        _predict(settings)


def _predict(settings: PredictSettings) -> None:
    reader, class_names = settings.reader, settings.interface.target.class_names
    model = load_network(settings.model_uri)
    metrics = task_of(settings.interface).streamed()
    bad: list[BadRow] = []
    n_good = n_bad = 0
    with PredictionWriter(settings.output, reader.key, class_names) as writer, RowsDisplay(reader.size) as display:
        for chunk in chunks(reader, settings.interface):
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
            raise InputError(f"input must have rows that the model takes, got none; {reader.key} {_line(bad[0])}")
    scores = metrics.result()
    mlflow.log_metrics({"n_predicted": n_good, "n_bad": n_bad, **scores})
    mlflow.set_tag("predicted_with", settings.model_uri)
    _report(bad, n_bad, reader.key)
    against = f", {metrics.summary()} against its labels" if scores else ""
    click.echo(f"Predicted {n_good:,} rows with {settings.model_uri}{against}: {settings.output}")


def _report(bad: list[BadRow], n_bad: int, key: str) -> None:
    """Name the first bad rows on the terminal, and more of them in the artifact bad_rows.csv."""
    if not bad:
        return
    mlflow.log_text(_table(key, bad), "bad_rows.csv")
    for row in bad[:_SHOWN]:
        click.echo(f"Bad {key} {_line(row)}", err=True)
    if n_bad > _SHOWN:
        click.echo(f"{n_bad:,} bad rows in all; the first {len(bad):,} are in the artifact bad_rows.csv", err=True)


def _table(key: str, bad: Iterable[BadRow]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([key, "reason"])
    writer.writerows((row.key, row.reason) for row in bad)
    return file.getvalue()


def _line(row: BadRow) -> str:
    return f"{row.key}: {row.reason}"
