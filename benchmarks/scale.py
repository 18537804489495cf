"""Cost of several processes: trials per second, processor load, growth with the study, two processes or two threads.

Everything runs on the servers of `deploy/cluster.py`, on one machine: the shares of processor time show the first
bottleneck on several machines.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import click
import optuna
import sqlalchemy as sa
from mlflow.tracking import MlflowClient

from benchmarks.rivals.stub_trial import SECONDS
from benchmarks.stubs import prepare, run_stubs
from benchmarks.systems import HERE
from deploy.cluster import Cluster
from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.search.store.url import open_storage

WORKERS = (1, 4, 16, 64)
SPARK = "MlflowSparkStudy"
RIVALS = {  # module, and how many trials at most: MlflowSparkStudy takes seconds for each, and ever more
    "Ray Tune": ("benchmarks.rivals.ray_stubs", 1000),
    SPARK: ("benchmarks.rivals.spark_stubs", 30),
}
AGAINST = (4, 16)  # numbers of workers for the comparison with the rivals
SIZES = (100, 1_000, 10_000)


@click.command()
def main() -> None:
    """Print the tables of docs/scale.md."""
    quiet_libraries()
    import_tensorflow()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with Cluster(folder / "c", n_workers=0) as cluster:
            click.echo(throughput(cluster))
            click.echo(against_rivals(cluster))
            click.echo(growth(cluster))
        with Cluster(folder / "d", n_workers=2) as cluster:
            click.echo(efficiency(cluster))


def throughput(cluster: Cluster) -> str:
    """Trials per second on several numbers of processes, with processor loads."""
    lines = [
        f"\nStub trials of {1000 * SECONDS:.0f} ms, random sampler, {os.cpu_count()} cores\n",
        "| workers | trials | trials per second | share of the maximum | busy: workers | PostgreSQL | MLflow server |",
        "|---|---|---|---|---|---|---|",
    ]
    for n_workers in WORKERS:
        n_trials = n_stubs(n_workers)
        seconds, busy = run_stubs(cluster, f"stubs-{n_workers}", n_workers, n_trials)
        possible = n_workers / SECONDS
        shares = " | ".join(f"{used / seconds:.2f} cores" for used in vars(busy).values())
        rate = n_trials / seconds
        lines.append(f"| {n_workers} | {n_trials} | {rate:.1f} | {rate / possible:.0%} | {shares} |")
        click.echo(f"{n_workers} workers done", err=True)
    return "\n".join(lines)


def n_stubs(n_workers: int) -> int:
    """Trials of a row: 50, or 4 per worker if that is more."""
    return max(50, 4 * n_workers)


def against_rivals(cluster: Cluster) -> str:
    """The same trials on the same number of workers with each system, all logged to the same MLflow server.

    The rivals are timed from the start of their first trial's run to the end of their last, without their own start.
    """
    rivals = dict(RIVALS)
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        del rivals[SPARK]
        click.echo(f"{SPARK} is left out: there is no Java", err=True)
    lines = [
        f"\nStub trials of {1000 * SECONDS:.0f} ms\n",
        "| workers | system | trials | trials per second | times as fast: this project |",
        "|---|---|---|---|---|",
    ]
    for n_workers in AGAINST:
        n_trials = n_stubs(n_workers)
        seconds, _ = run_stubs(cluster, f"against-{n_workers}", n_workers, n_trials)
        own = n_trials / seconds
        lines.append(f"| {n_workers} | this project | {n_trials} | {own:.1f} | 1 |")
        for rival, (module, most) in rivals.items():
            n_capped = min(n_trials, most)
            rate = n_capped / _seconds_of(cluster, module, f"{rival}, {n_workers} workers", n_workers, n_capped)
            lines.append(f"| {n_workers} | {rival} | {n_capped} | {rate:.2f} | {own / rate:.1f} |")
            click.echo(f"{rival}, {n_workers} workers done", err=True)
    return "\n".join(lines)


def _seconds_of(cluster: Cluster, module: str, experiment: str, n_workers: int, n_trials: int) -> float:
    uri = cluster.environment()["MLFLOW_TRACKING_URI"]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri, "MLFLOW_EXPERIMENT_NAME": experiment}
    _run(environment, module, str(n_workers), str(n_trials))
    client = MlflowClient(uri)
    found = client.search_runs([client.get_experiment_by_name(experiment).experiment_id], max_results=1000)
    parents = {run.data.tags.get("mlflow.parentRunId") for run in found}
    trials = [run.info for run in found if run.data.metrics and run.info.run_id not in parents]
    assert len(trials) == n_trials, f"{len(trials)} trials, not {n_trials}"
    return (max(trial.end_time for trial in trials) - min(trial.start_time for trial in trials)) / 1000


def growth(cluster: Cluster) -> str:
    """Seconds of a trial in studies of several sizes, one worker."""
    lines = [
        "\nOne worker, by the size of the study\n",
        "| trials in the study | ms per trial, without training | ratio |",
        "|---|---|---|",
    ]
    first = 0.0
    for size in SIZES:
        name, n_more = f"size-{size}", 40
        run_stubs(cluster, name, 1, 1)
        fill(cluster.environment()["TUNE_STORAGE"], name, size)
        seconds = run_more(cluster, name, size, n_more)
        cost = 1000 * (seconds / n_more - SECONDS)
        first = first or cost
        lines.append(f"| {size:,} | {cost:.0f} | {cost / first:.2f} |")
        click.echo(f"{size} trials done", err=True)
    return "\n".join(lines)


def run_more(cluster: Cluster, name: str, size: int, n_more: int) -> float:
    work = prepare(cluster, name, size + n_more)
    begun: list[float] = []
    work(lambda: begun.append(time.perf_counter()))
    return time.perf_counter() - begun[0]


def fill(url: str, name: str, size: int) -> None:
    """Copy the first trial of a study until it has `size` of them."""
    storage = open_storage(url)
    tables = {
        "trial_params": "param_name, param_value, distribution_json",
        "trial_values": "objective, value, value_type",
        "trial_user_attributes": "key, value_json",
        "trial_intermediate_values": "step, intermediate_value, intermediate_value_type",
    }
    with storage.engine.begin() as connection:
        first = (
            "SELECT t.trial_id FROM trials t JOIN studies s USING (study_id) WHERE s.study_name = :name AND number = 0"
        )
        template = connection.execute(sa.text(first), {"name": name}).scalar_one()
        known = {"template": template, "size": size}
        copied = "INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete) SELECT n, study_id, "
        copied += "state, datetime_start, datetime_complete FROM trials, generate_series(1, :size - 1) n "
        connection.execute(sa.text(copied + "WHERE trial_id = :template"), known)
        for table, columns in tables.items():
            rows = f"INSERT INTO {table} (trial_id, {columns}) SELECT t.trial_id, "
            rows += ", ".join(f"o.{column}" for column in columns.split(", "))
            rows += f" FROM {table} o JOIN trials f ON f.trial_id = o.trial_id "
            rows += "JOIN trials t ON t.study_id = f.study_id AND t.number > 0 WHERE o.trial_id = :template"
            connection.execute(sa.text(rows), known)
    storage.engine.dispose()


def efficiency(cluster: Cluster, rounds: int = 3) -> str:
    """Ten real trials of five epochs: two threads of one process against two Dask workers of one thread."""
    seconds: dict[str, list[float]] = {"local": [], "dask": []}
    environment = {**os.environ, **cluster.environment()}
    _run(environment, "steps.download", "--dataset", "mnist")
    fixed = ["--space", str(HERE / "space.yaml"), "--points", str(HERE / "points.yaml")]
    for i in range(rounds):
        for engine in seconds:
            options = ["--engine", engine, *(("--address", cluster.address) if engine == "dask" else ("--n-jobs", "2"))]
            name = f"{engine}-{i}"
            _run(
                environment, "steps.tune", "--study-name", name, *fixed, "--n-trials", "10",
                "--max-epochs", "5", "--pruner", "none", "--precision", "float32", *options,
            )  # fmt: skip
            storage = open_storage(environment["TUNE_STORAGE"])
            trials = optuna.load_study(study_name=name, storage=storage).trials
            storage.engine.dispose()
            begun = min(trial.datetime_start for trial in trials)
            seconds[engine].append((max(trial.datetime_complete for trial in trials) - begun).total_seconds())
            click.echo(f"{name}: {seconds[engine][-1]:.1f} s", err=True)
    threads, workers = (statistics.median(seconds[engine]) for engine in ("local", "dask"))
    lines = [
        "\nTen trials of five epochs on MNIST, from the first start to the last end\n",
        "| | seconds | efficiency |",
        "|---|---|---|",
        f"| two threads of one process | {threads:.1f} | |",
        f"| two Dask workers | {workers:.1f} | {threads / workers:.2f} |",
    ]
    return "\n".join(lines)


def _run(environment: Mapping[str, str], module: str, *arguments: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=folder, env={**environment, "PYTHONPATH": str(HERE.parent)}, capture_output=True, text=True,
        )  # fmt: skip
    if done.returncode:
        raise click.ClickException(re.sub(r"\s+", " ", done.stderr))


if __name__ == "__main__":
    main()
