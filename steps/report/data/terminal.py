"""A data set on the terminal: its columns, its target and notes."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from steps.datasets import Dataset
from steps.datasets.overview.overview import Overview
from steps.datasets.tabular.columns import Columns
from steps.report.data.findings import column_findings, repeat_findings, split_findings
from steps.report.data.values import values_of

_PIPE_WIDTH = 120  # width of the table in a pipe
_SHOWN = 60  # columns shown; all of them are in columns.json
_CLASSES = 20  # classes shown


def print_data(dataset: Dataset, overview: Overview, console: Console | None = None) -> None:
    """The columns of a table, omitted columns, the task and its target, notes, and a comparison of the splits."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    if dataset.columns:
        _print_columns(dataset.columns, console)
    for line in _lines(dataset, overview):
        console.print(Text(line), soft_wrap=True)


def _print_columns(columns: Columns, console: Console) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("column", "kind", "missing", "values", "example", "why"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "missing" else "left")
    shown = columns.schema.columns[:_SHOWN]
    for column in shown:
        row = (column.name, column.kind, f"{column.n_missing:,}" if column.n_missing else "", values_of(column))
        table.add_row(*map(Text, (*row, column.example, column.why)))
    console.print(table)
    if more := len(columns.schema.columns) - len(shown):
        console.print(f"and {more:,} more columns, in the artifact columns.json")


def _lines(dataset: Dataset, overview: Overview) -> list[str]:
    schema = dataset.columns.schema if dataset.columns else None
    left_out = [f"Left out: {column.name}, {column.why}" for column in schema.left_out] if schema else []
    warnings = [f"Warning: {warning}" for warning in schema.warnings] if schema else []
    target = dataset.target
    task = (
        f"Task: {target.task}"
        + (f" of {target.name}" if target.name else "")
        + (f", {target.why}" if target.why else "")
    )
    notes = [f"Note: {note}" for note in dataset.notes]
    return [*left_out, *warnings, task, *_target_lines(dataset), *notes, *_finding_lines(dataset, overview)]


def _finding_lines(dataset: Dataset, overview: Overview) -> list[str]:
    """Whether the splits are alike, and other findings that are warnings."""
    others = (*column_findings(dataset, overview), *repeat_findings(dataset, overview))
    shown = (*split_findings(dataset, overview), *(finding for finding in others if finding.is_warning))
    return [f"{'Warning' if finding.is_warning else 'Note'}: {finding.text}" for finding in shown]


def _target_lines(dataset: Dataset) -> list[str]:
    """The classes with their counts, or the range of the numbers."""
    target = dataset.target
    if not target.class_names:
        return [f"Target: {target.low:,.6g} to {target.high:,.6g}, mean {target.mean:,.6g}"]
    counts = np.bincount(np.concatenate([split.targets for split in dataset.whole_splits.values()]))
    listed = [f"{name} {count:,}" for name, count in zip(target.class_names, counts, strict=True)]
    more = len(listed) - _CLASSES
    text = ", ".join([*listed[:_CLASSES], *([f"and {more:,} more"] if more > 0 else [])])
    return ["Classes: " + text + (f"; positive class {target.positive_class}" if target.positive_class else "")]
