"""registry: the model registry -> a table, the lineage of one version as a tree, or JSON; and the way back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from steps.base.errors import InputError
from steps.base.libraries import quiet_libraries
from steps.cli.command import step_command
from steps.cli.types import OneOf, Whole

if TYPE_CHECKING:
    from steps.tracking.registry import VersionRow

_WIDTH = 100
_NO_WRAP = 2000  # in a pipe, a value stands on one line


@step_command
@click.option("--model-name", default="", help="Registered model; empty: all.")
@click.option("--version", type=Whole(0), default=0, help="Show all that this version was made from; 0: list versions.")
@click.option(
    "--rollback",
    type=OneOf(("true", "false")),
    default="false",
    help="true moves the alias champion back to the version that had it before.",
)
@click.option(
    "--format", "format_", type=OneOf(("text", "json")), default="text", help="text for people, json for programs."
)
def registry(model_name: str, version: int, rollback: str, format_: str) -> None:
    """Show what is registered: versions, aliases, validation, test score, and where each came from.

    \b
    Examples:
      mlflow run . -e registry
      mlflow run . -e registry -P model_name=mnist-mlp -P version=3
      mlflow run . -e registry -P model_name=mnist-mlp -P rollback=true
      python -m steps.registry --model-name mnist-mlp --format json
    """
    quiet_libraries()
    if (version or rollback == "true") and not model_name:
        raise InputError(f"model_name must be given with {'version' if version else 'rollback'}, got ''")
    if version and rollback == "true":
        raise InputError(f"version must be 0 with rollback, got {version}; a rollback goes to the champion before")
    if rollback == "true":
        _roll_back(model_name)
    elif version:
        _show_version(model_name, version, format_)
    else:
        _list(model_name, format_)


def _roll_back(model_name: str) -> None:
    from steps.tracking.promotion import rollback
    from steps.tracking.registry import list_versions

    list_versions(model_name)  # says which models there are, where this is none
    before, now = rollback(model_name)
    click.echo(f"Rolled back: champion of {model_name} is version {now}, no longer version {before}")


def _show_version(model_name: str, version: int, format_: str) -> None:
    from steps.tracking.lineage import lineage_of
    from steps.tracking.models import find_model
    from steps.tracking.registry import list_versions

    uri = find_model(f"models:/{model_name}/{version}")
    (row,) = (row for row in list_versions(model_name) if row.version == version)
    lineage = asdict(lineage_of(uri))
    if format_ == "json":
        click.echo(json.dumps({**asdict(row), "lineage": lineage}, indent=2))
        return
    tree = Tree(f"{model_name} version {version}")
    tree.add(f"{row.validation_status}, aliases: {', '.join(row.aliases) or 'none'}, test {_score(row)}")
    if row.promotion:
        tree.add(row.promotion)
    for group, values in lineage.items():
        title = group.replace("_", " ")
        if isinstance(values, str):
            tree.add(f"{title}: {values}")
            continue
        branch = tree.add(title)
        for name, value in values.items():
            branch.add(f"{name}: {value}")
    console = Console(highlight=False, markup=False)
    console.width = console.width if console.is_terminal else _NO_WRAP
    console.print(tree)


def _list(model_name: str, format_: str) -> None:
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
    for heading in ("version", "aliases", "status", "test score", "data", "tune run", "trial", "created (UTC)"):
        table.add_column(heading, no_wrap=heading != "aliases", min_width=10 if heading == "aliases" else None)
    for row in rows:
        table.add_row(
            str(row.version),
            ", ".join(row.aliases),
            row.validation_status,
            _score(row),
            row.dataset_digest[:8],
            row.tune_run_id[:8],
            "" if row.trial_number is None else str(row.trial_number),
            row.created[:16].replace("T", " "),
        )
    console = Console(highlight=False)
    console.width = max(console.width, _WIDTH) if not console.is_terminal else console.width
    console.print(table)


def _score(row: VersionRow) -> str:
    from steps.tracking.registry import score_text

    return "" if row.score is None else score_text(row.metric, row.score)


if __name__ == "__main__":
    registry()
