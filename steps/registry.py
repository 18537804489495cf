"""registry: the model registry -> a table for people, or JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from steps.command import quiet_libraries, step_command
from steps.options import OneOf

if TYPE_CHECKING:
    from steps.tracking.registry import VersionRow

_WIDTH = 100


@step_command
@click.option("--model-name", default="", help="Registered model; empty: all.")
@click.option(
    "--format", "format_", type=OneOf(("text", "json")), default="text", help="text for people, json for programs."
)
def registry(model_name: str, format_: str) -> None:
    """Show what is registered: versions, aliases, validation, test accuracy, and where each came from.

    \b
    Examples:
      mlflow run . -e registry
      python -m steps.registry --model-name mnist-mlp --format json
    """
    quiet_libraries()
    from steps.tracking.registry import list_versions

    rows = list_versions(model_name)
    if format_ == "json":
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
    elif not rows:
        click.echo("Nothing is registered yet; run: mlflow run . -e main")
    else:
        for name in dict.fromkeys(row.model for row in rows):
            _print(name, [row for row in rows if row.model == name])


def _print(model: str, rows: Sequence[VersionRow]) -> None:
    table = Table(title=model, title_justify="left", box=None, pad_edge=False)
    for heading in ("version", "aliases", "status", "test accuracy", "data", "tune run", "trial", "created (UTC)"):
        table.add_column(heading, no_wrap=heading != "aliases", min_width=10 if heading == "aliases" else None)
    for row in rows:
        table.add_row(
            str(row.version),
            ", ".join(row.aliases),
            row.validation_status,
            _accuracy(row),
            row.dataset_digest[:8],
            row.tune_run_id[:8],
            "" if row.trial_number is None else str(row.trial_number),
            row.created[:16].replace("T", " "),
        )
    console = Console(highlight=False)
    console.width = max(console.width, _WIDTH) if not console.is_terminal else console.width
    console.print(table)


def _accuracy(row: VersionRow) -> str:
    if row.test_accuracy is None or row.test_accuracy_low is None or row.test_accuracy_high is None:
        return ""
    return f"{row.test_accuracy:.2%} ({100 * row.test_accuracy_low:.2f}–{100 * row.test_accuracy_high:.2f})"


if __name__ == "__main__":
    registry()
