"""registry: list versions, show the lineage of one, or roll the champion back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Literal

import click
from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from steps.base.errors import InputError
from steps.tasks.task import primary_named
from steps.tracking.lineage import lineage_of
from steps.tracking.model_uris import find_model
from steps.tracking.promotion import rollback as roll_back_champion
from steps.tracking.registry import VersionRow, list_versions, score_text

_WIDTH = 100
_NO_WRAP = 2000  # in a pipe, each value is on one line


def run(model_name: str, version: int, rollback: bool, format: Literal["text", "json"]) -> None:  # noqa: A002
    if (version or rollback) and not model_name:
        raise InputError(f"model_name must be given with {'version' if version else 'rollback'}, got ''")
    if version and rollback:
        raise InputError(f"version must be 0 with rollback, got {version}; a rollback goes to the champion before")
    if rollback:
        _roll_back(model_name)
    elif version:
        _show_version(model_name, version, as_json=format == "json")
    else:
        _list(model_name, as_json=format == "json")


def _roll_back(model_name: str) -> None:
    list_versions(model_name)  # an unknown model is answered with the names there are
    before, now = roll_back_champion(model_name)
    click.echo(f"Rolled back: champion of {model_name} is version {now}, no longer version {before}")


def _show_version(model_name: str, version: int, *, as_json: bool) -> None:
    uri = find_model(f"models:/{model_name}/{version}")
    (row,) = (row for row in list_versions(model_name) if row.version == version)
    lineage = asdict(lineage_of(uri))
    if as_json:
        click.echo(json.dumps({**asdict(row), "lineage": lineage}, indent=2))
        return
    tree = Tree(f"{model_name} version {version}")
    tested = f"test {score_text(row.metric, row.score)}" if row.score else "not tested"
    tree.add(f"{row.validation_status}, aliases: {', '.join(row.aliases) or 'none'}, {tested}")
    if row.promotion:
        tree.add(row.promotion)
    for group, values in lineage.items():
        _add(tree, group.replace("_", " "), values)
    console = Console(highlight=False, markup=False)
    console.width = console.width if console.is_terminal else _NO_WRAP
    console.print(tree)


def _add(tree: Tree, name: str, value: object) -> None:
    """Add a value as a leaf, or a mapping as a branch; an empty one is omitted."""
    if not isinstance(value, Mapping):
        tree.add(f"{name}: {value}")
    elif value:
        branch = tree.add(name)
        for key, item in value.items():
            _add(branch, key, item)


def _list(model_name: str, *, as_json: bool) -> None:
    rows = list_versions(model_name)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
    elif not rows:
        click.echo("Nothing is registered yet; run: mlflow run . -e main")
    else:
        for name in dict.fromkeys(row.model for row in rows):
            _print(name, [row for row in rows if row.model == name])


def _trials(row: VersionRow) -> str:
    """Number of the trial; of an ensemble, that of the best one, and how many more there are."""
    if row.trial_number is None:
        return ""
    return f"{row.trial_number}, {len(row.members) - 1} more" if len(row.members) > 1 else str(row.trial_number)


def _print(model: str, rows: Sequence[VersionRow]) -> None:
    metric = primary_named(rows[0].metric)
    table = Table(title=model, title_justify="left", box=None, pad_edge=False)
    score = f"test {metric.label}" if metric else "test score"
    for heading in ("version", "aliases", "status", score, "data", "tune run", "trial", "created (UTC)"):
        table.add_column(heading, no_wrap=heading != "aliases", min_width=10 if heading == "aliases" else None)
    for row in rows:
        table.add_row(
            str(row.version),
            ", ".join(row.aliases),
            row.validation_status,
            metric.short_text(row.score) if metric and row.score else "",
            row.dataset_digest[:8],
            row.tune_run_id[:8],
            _trials(row),
            row.created[:16].replace("T", " "),
        )
    console = Console(highlight=False)
    console.width = max(console.width, _WIDTH) if not console.is_terminal else console.width
    console.print(table)
