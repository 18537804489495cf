"""What several processes cost: trials per second, what is busy, growth with the study, two processes or two threads.

All of it runs on the servers of `deploy/cluster.py`, on one machine: the shares of processor time say what would be
full first on several.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path

import click
import mlflow
import optuna
import psutil
import sqlalchemy as sa
from mlflow.tracking import MlflowClient

from benchmarks.overhead import EPOCHS, StubTask, StubTrainer
from benchmarks.systems import HERE
from deploy.cluster import Cluster
from steps.command import import_tensorflow, quiet_libraries
from steps.datasets import load_dataset
from steps.mlp.config import MLPConfig
from steps.mlp.objectives import objectives_of
from steps.mlp.trainer import EpochMetrics
from steps.search.checkpoints import checkpoints_of
from steps.search.claims import Claims
from steps.search.pruners import make_pruner
from steps.search.samplers import make_sampler
from steps.search.space_file import load_space, space_path
from steps.search.storage import open_storage
from steps.search.study import open_study
from steps.search.workers import Workers
from steps.tracking.trials import TrialRuns

WORKERS = (1, 4, 16, 64)
SIZES = (100, 1_000, 10_000)
SECONDS = 0.05  # that a stub trial takes


class SleepingTrainer(StubTrainer):
    def run_epoch(self) -> EpochMetrics:
        time.sleep(SECONDS / EPOCHS)
        return super().run_epoch()


class SleepingTask(StubTask):
    def trainer(self, config: MLPConfig) -> StubTrainer:  # type: ignore[override]
        return SleepingTrainer(config)


@dataclass
class Busy:
    """Processor seconds of the trials' processes, of PostgreSQL and of the MLflow server."""

    workers: float
    postgresql: float
    mlflow: float

    def __sub__(self, other: Busy) -> Busy:
        return Busy(self.workers - other.workers, self.postgresql - other.postgresql, self.mlflow - other.mlflow)


@click.command()
@click.option("--trials", default=0, help="Stub trials of each row; 0: 50, or 4 per worker where that is more.")
def main(trials: int) -> None:
    """Print the tables of docs/scale.md."""
    quiet_libraries()
    import_tensorflow()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with Cluster(folder / "c", n_workers=0) as cluster:
            click.echo(throughput(cluster, trials))
            click.echo(growth(cluster))
        with Cluster(folder / "d", n_workers=2) as cluster:
            click.echo(efficiency(cluster))


def throughput(cluster: Cluster, trials: int) -> str:
    lines = [
        f"\nStub trials of {1000 * SECONDS:.0f} ms, random sampler, {os.cpu_count()} cores\n",
        "| workers | trials | trials per second | of what is possible | busy: workers | PostgreSQL | MLflow server |",
        "|---|---|---|---|---|---|---|",
    ]
    for n_workers in WORKERS:
        n_trials = trials or max(50, 4 * n_workers)
        seconds, busy = run_stubs(cluster, f"stubs-{n_workers}", n_workers, n_trials)
        possible = n_workers / SECONDS
        shares = " | ".join(f"{used / seconds:.2f} cores" for used in vars(busy).values())
        rate = n_trials / seconds
        lines.append(f"| {n_workers} | {n_trials} | {rate:.1f} | {rate / possible:.0%} | {shares} |")
        click.echo(f"{n_workers} workers done", err=True)
    return "\n".join(lines)


def run_stubs(cluster: Cluster, name: str, n_workers: int, n_trials: int) -> tuple[float, Busy]:
    """Wall and processor seconds in which so many processes run so many trials; their start is not counted."""
    work = prepare(cluster, name, n_trials)
    context = multiprocessing.get_context("fork")  # TensorFlow is imported once for all
    start = context.Barrier(n_workers + 1)
    processes = [context.Process(target=_in_process, args=(work, start)) for _ in range(n_workers)]
    for process in processes:
        process.start()
    start.wait()
    before, begun = _busy(cluster, processes), time.perf_counter()
    after = before
    while any(process.is_alive() for process in processes):
        now = _busy(cluster, processes)  # what has ended and is not counted by its parent yet is missing for a moment
        after = Busy(*map(max, vars(after).values(), vars(now).values()))
        time.sleep(0.1)
    seconds = time.perf_counter() - begun
    for process in processes:
        process.join()
        assert process.exitcode == 0, "a worker failed"
    storage = open_storage(cluster.environment()["TUNE_STORAGE"])
    states = [trial.state for trial in optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False)]
    storage.engine.dispose()
    assert states == [optuna.trial.TrialState.COMPLETE] * n_trials, f"{len(states)} trials, not {n_trials}"
    return seconds, after - before


def prepare(cluster: Cluster, name: str, n_trials: int) -> Callable[[Callable[[], None]], None]:
    """Make a study of stub trials; returns what runs it in a process: it opens all, calls its argument, and works."""
    environment = cluster.environment()
    url = environment["TUNE_STORAGE"]
    os.environ.update(environment)
    mlflow.set_tracking_uri(environment["MLFLOW_TRACKING_URI"])
    dataset = load_dataset("digits", 1 / 6, seed=0)
    space, objectives = load_space(space_path("default")), objectives_of(("accuracy",))
    task = SleepingTask(dataset, None, None, space, EPOCHS, 0, "float32", objectives)  # type: ignore[arg-type]
    client = MlflowClient()
    run = client.create_run("0", run_name=name)

    def open_all() -> optuna.Study:
        sampler = make_sampler("random", 0, conditional=space.conditional)
        return open_study(open_storage(url), name, objectives, sampler, make_pruner("none", EPOCHS))

    open_all()._storage.remove_session()

    def work(ready: Callable[[], None]) -> None:
        study = open_all()
        storage = study._storage._backend
        runs = TrialRuns(run)
        with Claims(storage, name, run.info.run_id) as claims:
            workers = Workers(
                task, study, runs, claims, checkpoints_of(url), n_trials=n_trials, n_jobs=1,
                on_epoch=_ignore, on_trial=_ignore, on_interruption=_ignore,
            )  # fmt: skip
            ready()
            workers.run()
        runs.close()

    return work


def growth(cluster: Cluster) -> str:
    """Seconds of a trial in studies of several sizes, one worker."""
    lines = [
        "\nOne worker, by the size of the study\n",
        "| trials in the study | ms per trial beside its training | ratio |",
        "|---|---|---|",
    ]
    first = 0.0
    for size in SIZES:
        name, n_more = f"size-{size}", 40
        run_stubs(cluster, name, 1, 1)
        fill(cluster.environment()["TUNE_STORAGE"], name, size)
        seconds, _ = run_more(cluster, name, size, n_more)
        cost = 1000 * (seconds / n_more - SECONDS)
        first = first or cost
        lines.append(f"| {size:,} | {cost:.0f} | {cost / first:.2f} |")
        click.echo(f"{size} trials done", err=True)
    return "\n".join(lines)


def run_more(cluster: Cluster, name: str, size: int, n_more: int) -> tuple[float, Busy]:
    work = prepare(cluster, name, size + n_more)
    begun: list[float] = []
    work(lambda: begun.append(time.perf_counter()))
    return time.perf_counter() - begun[0], Busy(0, 0, 0)


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
    _step(environment, "download", "--dataset", "mnist")
    fixed = ["--space", str(HERE / "space.yaml"), "--points", str(HERE / "points.yaml")]
    for i in range(rounds):
        for engine in seconds:
            options = ["--engine", engine, *(("--address", cluster.address) if engine == "dask" else ("--n-jobs", "2"))]
            name = f"{engine}-{i}"
            _step(
                environment, "tune", "--study-name", name, *fixed, "--n-trials", "10",
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


def _step(environment: Mapping[str, str], step: str, *options: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"steps.{step}", *options], env=dict(environment), capture_output=True, text=True
    )
    if done.returncode:
        raise click.ClickException(re.sub(r"\s+", " ", done.stderr))


def _in_process(work: Callable[[Callable[[], None]], None], start: Barrier) -> None:
    work(partial(start.wait))
    os._exit(0)  # TensorFlow of a forked process is not made for an orderly end


def _busy(cluster: Cluster, processes: list[multiprocessing.process.BaseProcess]) -> Busy:
    ids = cluster.process_ids()
    return Busy(
        sum(_seconds(process.pid or 0) for process in processes), _seconds(ids["postgresql"]), _seconds(ids["mlflow"])
    )


def _seconds(pid: int) -> float:
    """Processor seconds of a process and its children, also of those that have ended."""
    try:
        process = psutil.Process(pid)
        times = [process.cpu_times(), *(child.cpu_times() for child in process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(t.user + t.system for t in times) + times[0].children_user + times[0].children_system


def _ignore(*_: object) -> None:
    pass


if __name__ == "__main__":
    main()
