"""Ten fixed trials of 5 epochs on MNIST: this project against the usual design, interleaved, medians.

Wall seconds of a whole process, imports and logging included.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import mlflow
import yaml

HERE = Path(__file__).parent
EPOCHS = 5
OURS = ["--space", str(HERE / "space.yaml"), "--points", str(HERE / "points.yaml"), "--max-epochs", str(EPOCHS)]


@click.command()
@click.option("--repeats", default=3, show_default=True, help="Rounds; each runs every system once.")
def main(repeats: int) -> None:
    """Print one table: median wall seconds, trials per minute, ratio to the usual design, best accuracy."""
    n_trials = len(yaml.safe_load((HERE / "points.yaml").read_text()))
    tune = [sys.executable, "-m", "steps.tune", "--pruner", "none", "--n-trials", str(n_trials), *OURS]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run([sys.executable, "-m", "steps.download"], folder)
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        data = _newest_run("download")
        systems = {
            "usual design": [sys.executable, "-m", "benchmarks.usual", str(_artifacts(data) / "dataset"), str(EPOCHS)],
            "this project, float32": [*tune, "--precision", "float32"],
            "this project, auto": [*tune, "--precision", "auto"],
        }
        seconds: dict[str, list[float]] = {system: [] for system in systems}
        best: dict[str, float] = {}
        for repeat in range(repeats):
            for system, command in systems.items():
                start = time.perf_counter()
                _run(command, folder)
                seconds[system].append(time.perf_counter() - start)
                run = mlflow.search_runs(
                    filter_string="metrics.best_val_accuracy > 0", max_results=1, output_format="list"
                )[0]
                best[system] = max(best.get(system, 0), run.data.metrics["best_val_accuracy"])
                click.echo(f"round {repeat + 1}: {system} {seconds[system][-1]:.1f} s", err=True)
    usual = statistics.median(seconds["usual design"])
    click.echo(
        f"\n{n_trials} trials x {EPOCHS} epochs, MNIST 50,000 / 10,000, {os.cpu_count()} cores, median of {repeats}\n"
    )
    click.echo("| system | seconds | trials per minute | ratio | best validation accuracy |\n|---|---|---|---|---|")
    for system, times in seconds.items():
        median = statistics.median(times)
        click.echo(
            f"| {system} | {median:.1f} | {60 * n_trials / median:.1f} | {usual / median:.1f} × | {best[system]:.4f} |"
        )


def _run(command: list[str], folder: Path) -> None:
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        "PYTHONPATH": str(HERE.parent),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{result.stderr}")


def _newest_run(step: str) -> str:
    query = f"tags.`pipeline.step` = '{step}'"
    return str(mlflow.search_runs(filter_string=query, max_results=1, output_format="list")[0].info.run_id)


def _artifacts(run_id: str) -> Path:
    return Path(mlflow.artifacts.download_artifacts(run_id=run_id))


if __name__ == "__main__":
    main()
