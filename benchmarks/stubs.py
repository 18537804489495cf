"""Stub trials on the servers of a cluster: like a real study, except that the training sleeps."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Barrier

import mlflow
import optuna
import psutil
from mlflow.tracking import MlflowClient

from benchmarks.overhead import NoDisplay, StubContext, StubTrainer
from benchmarks.rivals.stub_trial import EPOCHS, SECONDS
from deploy.cluster import Cluster
from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest
from steps.mlp.config import MLPConfig
from steps.mlp.trainer import Epoch
from steps.search.space.file import load_space, space_path
from steps.search.store.leases import Leases
from steps.search.store.storage import RetryingStorage
from steps.search.store.study import open_study
from steps.search.store.url import open_storage
from steps.search.strategy.samplers import make_sampler
from steps.search.trials.checkpoints import checkpoints_of
from steps.search.trials.context import WorkerContext
from steps.search.trials.workers import Limits, Workers
from steps.tracking.trials import TrialRuns


class SleepingTrainer(StubTrainer):
    def run_epoch(self) -> Epoch:
        time.sleep(SECONDS / EPOCHS)
        return super().run_epoch()


class SleepingContext(StubContext):
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


def run_stubs(cluster: Cluster, name: str, n_workers: int, n_trials: int) -> tuple[float, Busy]:
    """Wall and processor seconds for a number of trials on a number of processes, without their start-up."""
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
        now = _busy(cluster, processes)  # a process that has just ended is missing until its parent counts it
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
    """Create a study of stub trials; returns a function that opens it in a process, calls its argument, and works."""
    environment = cluster.environment()
    url = environment["TUNE_STORAGE"]
    os.environ.update(environment)
    mlflow.set_tracking_uri(environment["MLFLOW_TRACKING_URI"])
    dataset = load_dataset(DataRequest("digits"))
    space = load_space(space_path("image"))
    context = SleepingContext.of(dataset, space=space, epochs=EPOCHS)
    client = MlflowClient()
    run = client.create_run("0", run_name=name)

    def open_all() -> tuple[RetryingStorage, optuna.Study]:
        storage, sampler = open_storage(url), make_sampler("random", 0, space)
        return storage, open_study(storage, name, context.objectives, sampler, optuna.pruners.NopPruner())

    storage, _ = open_all()
    storage.engine.dispose()

    def work(ready: Callable[[], None]) -> None:
        storage, study = open_all()
        runs = TrialRuns(run)
        with Leases(storage, name, run.info.run_id) as leases:
            worker = WorkerContext(context, study, runs, leases, checkpoints_of(url))
            workers = Workers(worker, Limits(n_trials), NoDisplay(), n_jobs=1)
            study.get_trials(deepcopy=False)  # the first read of a process covers all trials, later ones only new ones
            ready()
            workers.run()
        runs.close()

    return work


def _in_process(work: Callable[[Callable[[], None]], None], start: Barrier) -> None:
    work(partial(start.wait))
    os._exit(0)  # TensorFlow does not support an orderly exit of a forked process


def _busy(cluster: Cluster, processes: list[multiprocessing.process.BaseProcess]) -> Busy:
    ids = cluster.process_ids()
    return Busy(
        sum(_seconds(process.pid or 0) for process in processes), _seconds(ids["postgresql"]), _seconds(ids["mlflow"])
    )


def _seconds(pid: int) -> float:
    """Processor seconds of a process and its children, including ended ones."""
    try:
        process = psutil.Process(pid)
        times = [process.cpu_times(), *(child.cpu_times() for child in process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(t.user + t.system for t in times) + times[0].children_user + times[0].children_system
