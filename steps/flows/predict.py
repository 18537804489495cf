"""predict: read the input in chunks, apply the model, write the table, and report bad rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import click
import mlflow
import numpy as np

from steps.base.errors import InputError
from steps.cli.invocation import Invocation
from steps.datasets.drift.profile import Profile
from steps.datasets.drift.rows import RowCounts
from steps.datasets.likeness import other_proportions, unlikeness
from steps.datasets.outputs import PredictionWriter
from steps.datasets.rows import BadRow, Chunk, Rows
from steps.datasets.tabular.values import Fault
from steps.flows.predict_comparison import report_drift, report_score
from steps.flows.settings import PredictSettings
from steps.report.terminal import RowsDisplay
from steps.tasks.task import StreamedScores, task_of
from steps.tracking.models import example_of, load_predictor, profile_of
from steps.tracking.runs import step_run

_SHOWN = 10  # bad rows that are named on the terminal
_KEPT = 1000  # bad rows that are named in the artifact


def run(settings: PredictSettings, invocation: Invocation) -> None:
    with step_run("predict", invocation.params):
        _predict(settings)


def _predict(settings: PredictSettings) -> None:
    rows, interface = settings.rows, settings.interface
    if rows.left_out:
        click.echo(rows.left_out, err=True)
    predict = _given_outputs if settings.is_scored else load_predictor(settings.model_uri)
    profile = Profile(()) if settings.is_scored else profile_of(settings.model_uri)
    metrics, counts = task_of(interface).streamed(), RowCounts(profile, interface)
    word = "file" if rows.key == "file" else "row"
    bad: list[BadRow] = []
    n_good = n_bad = 0
    with ExitStack() as stack:
        writer = None
        if settings.output:
            target, interval = interface.target, interface.interval
            writing = PredictionWriter(settings.output, rows, target, interval, settings.level)
            writer = stack.enter_context(writing)
        display = stack.enter_context(RowsDisplay(rows.size))
        for chunk, outputs in _predicted(settings.labelled or rows, predict):
            if not n_good and len(outputs) and interface.image_shape and not settings.is_scored:
                _hint(settings, chunk)
            n_good, n_bad = n_good + len(outputs), n_bad + len(chunk.bad)
            bad += chunk.bad[: _KEPT - len(bad)]
            display.rows(chunk.position, n_good + n_bad, n_bad)
            if not len(outputs):
                continue
            if writer:
                writer.write(chunk.keys, outputs)
            counts.add(chunk.given)
            _score(metrics, chunk.targets, outputs)
        if not n_good:
            raise InputError(f"input must have rows that the model takes, got none; {word} {_line(bad[0])}")
        incomplete = settings.labelled.coverage() if settings.labelled else ""
    scores = metrics.result()
    mlflow.log_metrics({"n_predicted": n_good, "n_bad": n_bad, **scores})
    mlflow.set_tag("predicted_with", settings.model_uri)
    _report(bad, n_bad, word)
    if incomplete:
        click.echo(f"Labels: {incomplete}", err=True)
    report_drift(counts, interface, settings.model_uri)
    done = "Read the predictions of" if settings.is_scored else "Predicted"
    against = f", {metrics.summary()} against its labels" if scores else ""
    written = f": {settings.output}" if settings.output else ""
    click.echo(f"{done} {n_good:,} rows with {settings.model_uri}{against}{written}")
    report_score(metrics, interface, settings.model_uri)


def _hint(settings: PredictSettings, first: Chunk) -> None:
    """Say before any prediction is written if the first images do not look like the training data."""
    example = example_of(settings.model_uri)
    hints = [other_proportions(settings.rows.image_sizes, settings.interface)]
    if example is not None:
        hints.append(unlikeness(first.given, example, settings.interface))
    if hints := [hint for hint in hints if hint]:
        click.echo("\n".join(f"Hint: {hint}" for hint in hints), err=True)
        mlflow.set_tag("hint", "\n".join(hints))


def _given_outputs(outputs: Any) -> tuple[np.ndarray, list[Fault]]:
    """The outputs of rows that were predicted before."""
    return outputs, []


def _predicted(
    rows: Rows, predict: Callable[[Any], tuple[np.ndarray, list[Fault]]]
) -> Iterator[tuple[Chunk, np.ndarray]]:
    """Each chunk without the rows that the model does not take, and (n, n_outputs) for the others."""
    for chunk in rows:
        if not len(chunk.names):
            yield chunk, np.empty((0, 1), np.float32)
            continue
        outputs, faults = predict(chunk.given)
        chunk, kept = chunk.without(faults)
        yield chunk, outputs[kept]


def _score(metrics: StreamedScores, targets: np.ndarray | None, outputs: np.ndarray) -> None:
    """Count the rows that have a target."""
    if targets is None:
        return
    present = targets >= 0 if np.issubdtype(targets.dtype, np.integer) else ~np.isnan(targets)
    if present.any():
        metrics.add(targets[present], outputs[present])


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
