"""A study from its opening to its outcome: the step `tune` after its settings are checked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click
import mlflow
from mlflow.entities import Run

from steps.base.errors import StepError
from steps.mlp.runtime import (
    available_cores,
    limit_threads,
    resolve_precision,
    threads_of_each,
    trainings_at_once,
)
from steps.report.terminal import StudyDisplay
from steps.search.opening import OpenStudy, limits_of
from steps.search.plan import Plan
from steps.search.recovery import continue_study, gather_trials, n_to_continue
from steps.search.selection import nothing_complete
from steps.search.settings import TuneSettings
from steps.search.settings_before import changed_settings
from steps.search.space.changes import keep_space
from steps.search.store.storage import RetryingStorage
from steps.search.store.study import expecting_study
from steps.search.store.url import open_storage, recordable
from steps.search.strategy.initial_trials import enqueue
from steps.search.strategy.stopping import Auto, outlook_of
from steps.search.strategy.warm_start import earlier_records
from steps.search.trials.context import WorkerContext
from steps.search.trials.watch import Watch
from steps.search.trials.workers import Limits, Workers
from steps.tracking.dataset_inputs import log_inputs
from steps.tracking.fingerprint import code_digest
from steps.tracking.project import shared_tracking_uri
from steps.tracking.tags import DATASET_DIGEST_TAG, STOPPED_BY_TAG, STUDY_TAG

if TYPE_CHECKING:  # both are imported late: Dask is heavy, and see `_load_outcome`
    from steps.search.dask import DaskWorkers
    from steps.search.outcome import Outcome

_INTERRUPTION = "interruption"  # reason of a tune run that ended by Ctrl-C
_REASONS = {
    "n_trials": "the study has all its trials",
    "timeout": "the time is over",
    "plateau": "no improvement in as many complete trials as stop_when allows",
    "auto": "the other trials were expected to gain less than one standard error; stop_when=none runs them, too",
    "grid": "every cell is done",
}


def make_plan(settings: TuneSettings, run: Run, data_run_id: str, dataset: str) -> Plan:
    """Plan a tune run and log the plan, before TensorFlow has computed anything.

    Args:
        run: The tune run, which is active.
        dataset: Name of the data set.
    """
    n_jobs = _n_jobs(settings)
    threads = 1 if settings.engine == "dask" else threads_of_each(n_jobs)
    limit_threads(n_jobs, threads)
    plan = Plan(
        study=settings.study_name or f"{dataset}-{run.info.run_id[:8]}",
        storage=recordable(settings.storage),
        data_run_id=data_run_id,
        space=settings.space,
        objectives=settings.objectives,
        n_trials=settings.n_trials,
        deadline=time.time() + settings.timeout if settings.timeout else 0.0,
        stop_when=settings.stop_when,
        max_epochs=settings.max_epochs,
        sampler=settings.sampler,
        pruner=settings.pruner,
        seed=settings.seed,
        precision=resolve_precision(settings.precision),
        threads=threads,
        code=code_digest("tune"),
    )
    plan.log()
    mlflow.log_params({"resolved_n_jobs": n_jobs or "as many as Dask's threads", "resolved_precision": plan.precision})
    mlflow.set_tags({STUDY_TAG: plan.study, "data_run_id": data_run_id})
    return plan


def search(settings: TuneSettings, plan: Plan, run: Run) -> Outcome:
    """Open or continue the study, run its trials, and log the outcome, even if the search was interrupted.

    Raises:
        StepError: No trial is complete, or the study was deleted meanwhile.
        KeyboardInterrupt: The user stopped it; its trials wait to be continued.
    """
    storage = open_storage(settings.storage)
    with expecting_study(storage, plan.study):
        return _search(settings, plan, run, storage)


def _search(settings: TuneSettings, plan: Plan, run: Run, storage: RetryingStorage) -> Outcome:
    opened = OpenStudy.of(plan, storage, settings.storage)
    mlflow.set_tag(DATASET_DIGEST_TAG, opened.context.dataset.digest)
    log_inputs(opened.context.dataset)
    earlier = earlier_records(settings.warm_start, storage) if settings.warm_start else []
    changes = keep_space(opened.study, opened.context.space)
    worker = outcome = None
    try:
        with opened.worker(run, owner=True) as worker:
            gone = continue_study(worker, run)
            _announce(plan, opened, _n_jobs(settings))
            limits = limits_of(plan, opened.context.space)
            with worker.leases.study_lock():
                queued = enqueue(
                    opened.study, opened.context, points=settings.points, earlier=earlier,
                    grid=limits.grid is not None,
                )  # fmt: skip
            if limits.grid:
                queued.append(limits.grid.describe(opened.study.get_trials(deepcopy=False), plan.n_trials))
            changes = [*changed_settings(plan, opened.study), *(f"Space: {change}" for change in changes)]
            for line in [*gone, *changes, *queued]:
                click.echo(line)
            stopped_by = _run_trials(settings, limits, opened, worker, run)
            gather_trials(worker, run)
        mlflow.set_tag(STOPPED_BY_TAG, stopped_by)
        outlook = outlook_of(opened.study, plan.n_trials) if stopped_by == Auto.name else None
        is_as_said = outlook is not None and outlook.is_within_noise and outlook.n_more > 0  # others ended since then
        reason = outlook.text(opened.context.primary) if outlook and is_as_said else _REASONS[stopped_by]
        click.echo(f"Stopped by {stopped_by}: {reason}")
    except KeyboardInterrupt:
        mlflow.set_tag(STOPPED_BY_TAG, _INTERRUPTION)
        raise
    finally:
        if worker is not None and not worker.runs.interrupted:
            from steps.search.outcome import log_outcome  # late, see `_load_outcome`

            outcome = log_outcome(opened.study, opened.context, plan.data_run_id)
    if outcome is None:
        raise StepError(nothing_complete(opened.study, plan.pruner.text))
    return outcome


def _run_trials(settings: TuneSettings, limits: Limits, opened: OpenStudy, worker: WorkerContext, run: Run) -> str:
    """Run trials, here or on a Dask cluster, until the study is over; returns the reason."""
    objectives, followed = opened.context.objectives, opened.context.followed
    display = StudyDisplay(settings.n_trials, opened.context.epochs, opened.finished(), objectives, followed)
    with display, Watch(opened.study, objectives[0], display) as watch:
        workers: Workers | DaskWorkers
        if settings.engine == "dask":
            workers = _dask_workers(settings, worker, watch, run)
        else:
            workers = Workers(worker, limits, watch, _n_jobs(settings), on_idle=_load_outcome)
        workers.run()
    return workers.stopped_by


def _n_jobs(settings: TuneSettings) -> int:
    """Parallel trials in each process; 0 for one per thread of a Dask worker."""
    if settings.n_jobs or settings.engine == "dask":
        return settings.n_jobs
    return trainings_at_once(min(available_cores(), settings.n_trials))


def _dask_workers(settings: TuneSettings, worker: WorkerContext, watch: Watch, run: Run) -> DaskWorkers:
    from steps.search.dask import DaskWorkers

    return DaskWorkers(
        settings.address, run.info.run_id, n_jobs=settings.n_jobs, cores=available_cores(),
        tracking_uri=shared_tracking_uri(), on_interruption=watch.interruption, withdraw=worker.leases.withdraw,
    )  # fmt: skip


def _load_outcome() -> None:
    """Import the modules that draw the figures (most of a second) while a core has no more trials to run."""
    import steps.search.outcome  # noqa: F401


def _announce(plan: Plan, opened: OpenStudy, n_jobs: int) -> None:
    n_finished, n_begun = len(opened.finished()), n_to_continue(opened.study)
    click.echo(
        f"Study {plan.study}: {plan.n_trials} trial{'s' if plan.n_trials != 1 else ''}"
        + (f", {n_finished} of them done before" if n_finished else "")
        + (f", {n_begun} begun before" if n_begun else "")
        + (f", {n_jobs} at once" if n_jobs > 1 else "")
        + f", {plan.precision}"
    )
    if not opened.context.prunable:
        click.echo(f"Pruning: off, Optuna cannot prune a study of {' and '.join(plan.objectives)}")
