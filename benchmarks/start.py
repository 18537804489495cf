"""`python -m benchmarks.start`: seconds until each step is at work, most of which are imports; medians."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
from mlflow.tracking import MlflowClient

from steps.mlp.runtime import hardware

_DATA = "--dataset=breast_cancer"
_SHORT = ("--n-trials=1", "--max-epochs=1")
_METRIC = "val_log_loss"  # of each epoch


@click.command()
@click.option("--repeats", default=5, show_default=True, help="Rounds.")
def main(repeats: int) -> None:
    """Print a Markdown table."""
    found: dict[str, list[float]] = {}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for part, seconds in _measure(Path(folder)).items():
                found.setdefault(part, []).append(seconds)
    click.echo("breast_cancer, {processor}, {cores} cores, {cpu_features}".format_map(hardware()))
    click.echo("\n| from the start of the process | seconds |\n|---|---|")
    for part, values in found.items():
        click.echo(f"| {part} | {statistics.median(values):.1f} |")


def _measure(folder: Path) -> dict[str, float]:
    """Seconds of each part, in a new store in the folder."""
    store = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    help_, _ = _run(folder, "tune", "--help")
    download, _ = _run(folder, "download", _DATA)
    tune, began = _run(folder, "tune", *_SHORT)
    (trial,) = store.search_runs(["0"], f"metrics.{_METRIC} > 0")
    first, *_ = store.get_metric_history(trial.info.run_id, _METRIC)
    evaluate, _ = _run(folder, "evaluate", "--final-epochs=1")
    pipeline, _ = _run(folder, "main", _DATA, *_SHORT, "--final-epochs=1", "--reuse=false")
    return {
        "`tune --help`": help_,
        "`download`, to its end": download,
        "`tune`, to its first trial": trial.info.start_time / 1000 - began,
        "`tune`, to the end of the first epoch": first.timestamp / 1000 - began,
        "`tune` of one trial and one epoch, to its end": tune,
        "`evaluate` of one epoch, to its end": evaluate,
        "`main` of these, to its end": pipeline,
    }


def _run(folder: Path, step: str, *options: str) -> tuple[float, float]:
    """Seconds of a step, and the time at which it began, in seconds since the epoch."""
    variables = {
        **os.environ,
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    began, start = time.time(), time.perf_counter()
    command = [sys.executable, "-m", f"steps.{step}", *options]
    result = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{result.stdout[-2000:]}\n{result.stderr[-4000:]}")
    return time.perf_counter() - start, began


if __name__ == "__main__":
    main()
