"""Processes that join an existing tune run: the step `worker`, or a worker of a Dask cluster."""

from __future__ import annotations

import socket

from rich.console import Console

from steps.base.environment import STORAGE
from steps.base.errors import InputError
from steps.mlp.runtime import available_cores, limit_threads, trainings_at_once
from steps.report.terminal import StudyDisplay
from steps.search.opening import OpenStudy, limits_of
from steps.search.plan import Plan
from steps.search.store.storage import RetryingStorage
from steps.search.store.study import expecting_study
from steps.search.store.url import open_storage
from steps.search.trials.workers import Workers
from steps.tracking.fingerprint import code_digest
from steps.tracking.runs import get_step_run


def join(tune_run_id: str, n_jobs: int, *, cores: int = 0, quiet: bool = False) -> str:
    """Run trials of a tune run until its study is over.

    Args:
        n_jobs: Parallel trials; 0: as many as the cores allow with the plan's number of threads, at most four on a GPU.
        cores: Cores that this process may use; 0: all.
        quiet: Whether to show nothing.

    Returns:
        The reason to end; "" if the tune run itself has ended or died, and the trials were returned to the queue.

    Raises:
        InputError: There is no active tune run, its code differs, or the database does not have the study.
        StepError: The database does not answer, or the study was deleted meanwhile.
    """
    run = get_step_run(tune_run_id, "tune", "tune_run_id", status="RUNNING")
    plan = Plan.of_run(tune_run_id)
    _check_code(plan)
    url = plan.storage_url()
    storage = open_storage(url)
    _check_study(plan, storage)
    n_jobs = n_jobs or trainings_at_once(max(1, (cores or available_cores()) // plan.threads))
    limit_threads(n_jobs, plan.threads)
    opened = OpenStudy.of(plan, storage, url)
    context = opened.context
    console = Console(quiet=True) if quiet else None
    display = StudyDisplay(
        plan.n_trials, plan.max_epochs, opened.finished(), context.objectives, context.followed, console
    )
    with expecting_study(storage, plan.study), opened.worker(run, owner=False) as worker:
        workers = Workers(worker, limits_of(plan, context.space), display, n_jobs, stop=worker.leases.abandoned)
        with display:
            workers.run()
    storage.engine.dispose()
    return workers.stopped_by


def _check_code(plan: Plan) -> None:
    if (own := code_digest("tune")) != plan.code:
        raise InputError(
            f"worker must have the code and the pinned dependencies of its tune run (digest {plan.code[:12]}), got "
            f"{own[:12]} on {socket.gethostname()}; install the same version there"
        )


def _check_study(plan: Plan, storage: RetryingStorage) -> None:
    if plan.study not in {study.study_name for study in storage.get_all_studies()}:
        raise InputError(
            f"{STORAGE} must be the database of the study {plan.study}, got one without it on "
            f"{socket.gethostname()}; set it to the one that tune uses"
        )
