"""A process that joins a tune run which another one has begun: the step `worker`, or a worker of a Dask cluster."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

from steps.base.errors import InputError
from steps.base.libraries import import_tensorflow, quiet_libraries

if TYPE_CHECKING:
    from steps.search.plan import Plan
    from steps.search.store.storage import RetryingStorage

_ALONE = threading.Lock()
_OWN_TRACKING_URI = os.environ.get("MLFLOW_TRACKING_URI", "")


def join_from_dask(tune_run_id: str, n_jobs: int, cores: int, tracking_uri: str) -> str:
    """What a worker process of a Dask cluster is asked to do: `join`, for one tune run after the other.

    It arrives as the name of this function with plain arguments, so a worker runs the code of its own installation.

    Args:
        cores: What Dask has given this worker.
        tracking_uri: Without credentials; the worker's own `MLFLOW_TRACKING_URI` wins.
    """
    quiet_libraries()
    import mlflow

    with _ALONE:  # TensorFlow's threads and memory are for one at a time
        mlflow.set_tracking_uri(_OWN_TRACKING_URI or tracking_uri)
        return join(tune_run_id, n_jobs, cores=cores, quiet=True)


def join(tune_run_id: str, n_jobs: int, *, cores: int = 0, quiet: bool = False) -> str:
    """Run trials of a tune run until its study is over.

    Args:
        n_jobs: Trials at once; 0: as many as the cores allow with the threads that the plan gives each, one on a GPU.
        cores: That this process may use; 0: all.
        quiet: Whether nothing is shown.

    Returns:
        What ended the study; "" where the tune run itself has ended or died, so that its trials were put back.

    Raises:
        InputError: No tune run that is running, other code, or a database without its study.
        StepError: Its database does not answer.
    """
    import_tensorflow()
    from rich.console import Console

    from steps.mlp.runtime import available_cores, has_gpu, limit_threads
    from steps.report.terminal import StudyDisplay
    from steps.search.plan import Plan
    from steps.search.store.leases import Leases
    from steps.search.store.url import open_storage
    from steps.search.trials.checkpoints import checkpoints_of
    from steps.search.trials.context import WorkerContext
    from steps.search.trials.workers import Workers
    from steps.tracking.runs import get_step_run
    from steps.tracking.trials import TrialRuns

    run = get_step_run(tune_run_id, "tune", "tune_run_id", status="RUNNING")
    plan = Plan.of_run(tune_run_id)
    _check_code(plan)
    url = plan.storage_url()
    storage = open_storage(url)
    _check_study(plan, storage)
    n_jobs = n_jobs or (1 if has_gpu() else max(1, (cores or available_cores()) // plan.threads))
    limit_threads(n_jobs, plan.threads)
    context = plan.context()
    study = plan.open_study(context, storage)
    runs = TrialRuns(run)
    finished = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]
    console = Console(quiet=True) if quiet else None
    display = StudyDisplay(plan.n_trials, plan.max_epochs, finished, context.objectives, context.followed, console)
    with Leases(storage, plan.study, tune_run_id, owner=False) as leases:
        worker = WorkerContext(context, study, runs, leases, checkpoints_of(url))
        workers = Workers(worker, plan.limits(), display, n_jobs, stop=leases.abandoned)
        try:
            with display:
                workers.run()
        finally:  # before the leases are given up: then others may write these runs
            runs.interrupt()
            runs.close()
    storage.engine.dispose()
    return workers.stopped_by


def _check_code(plan: Plan) -> None:
    from steps.tracking.fingerprint import code_digest

    if (own := code_digest("tune")) != plan.code:
        raise InputError(
            f"worker must have the code and the pinned dependencies of its tune run (digest {plan.code[:12]}), got "
            f"{own[:12]} on {socket.gethostname()}; install the same version there"
        )


def _check_study(plan: Plan, storage: RetryingStorage) -> None:
    from steps.search.store.url import STORAGE_VARIABLE

    if plan.study not in {study.study_name for study in storage.get_all_studies()}:
        raise InputError(
            f"{STORAGE_VARIABLE} must be the database of the study {plan.study}, got one without it on "
            f"{socket.gethostname()}; set it there as where tune runs"
        )
