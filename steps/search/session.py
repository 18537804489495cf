"""A study from its opening to its outcome: what the step `tune` does once it knows what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
import mlflow
from mlflow.entities import Run

from steps.mlp.runtime import available_cores
from steps.report.terminal import StudyDisplay
from steps.search.plan import Plan
from steps.search.recovery import continue_study, gather_trials, n_to_continue
from steps.search.space.changes import keep_space
from steps.search.store.leases import Leases
from steps.search.store.url import open_storage, storage_url
from steps.search.strategy.initial_trials import enqueue
from steps.search.strategy.warm_start import earlier_records
from steps.search.trials.checkpoints import checkpoints_of
from steps.search.trials.context import TrialContext, WorkerContext
from steps.search.trials.watch import Watch
from steps.search.trials.workers import Workers
from steps.tracking.project import shared_tracking_uri
from steps.tracking.trials import TrialRuns

if TYPE_CHECKING:
    from steps.search.dask import DaskWorkers, Join
    from steps.search.outcome import Outcome

_REASONS = {
    "n_trials": "the study has all its trials",
    "timeout": "the time is over",
    "plateau": "no improvement in as many complete trials as stop_when allows",
    "grid": "every cell is done",
}


def search(
    run: Run, plan: Plan, context: TrialContext, n_jobs: int, parameters: Mapping[str, Any], join: Join
) -> Outcome | None:
    """Open or continue the study, run its trials, and log what came out, also of a search that was stopped.

    Args:
        run: The tune run, which is active.
        n_jobs: Trials at once in each process; 0 for what Dask gives its workers.
        parameters: Those of the step `tune`.
        join: What a Dask worker is asked to do.

    Returns:
        None where no trial is complete.

    Raises:
        KeyboardInterrupt: The person stopped it; its trials wait to be continued.
    """
    url = storage_url(parameters["storage"], mlflow.get_tracking_uri())
    storage, checkpoints = open_storage(url), checkpoints_of(url)
    earlier = earlier_records(parameters["warm_start"], storage) if parameters["warm_start"] else []
    study = plan.open_study(context, storage)
    changes = keep_space(study, context.space)
    runs, outcome, stopped_at_once = TrialRuns(run), None, False
    try:
        with Leases(storage, plan.study, run.info.run_id) as leases:
            worker = WorkerContext(context, study, runs, leases, checkpoints)
            try:
                continue_study(worker, run)
                finished = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]
                _announce(plan, context, n_jobs, len(finished), n_to_continue(study))
                with leases.study_lock():
                    queued = enqueue(study, context, earlier, parameters)
                for line in [*(f"Space: {change}" for change in changes), *queued]:
                    click.echo(line)
                display = StudyDisplay(plan.n_trials, plan.max_epochs, finished, context.objectives, context.followed)
                with display, Watch(study, context.objectives[0], display) as watch:
                    workers: Workers | DaskWorkers
                    if parameters["engine"] == "dask":
                        workers = _dask_workers(run, n_jobs, leases, watch, parameters["address"], join)
                    else:
                        workers = Workers(worker, plan.limits(), watch, n_jobs, on_idle=_load_outcome)
                    workers.run()
                gather_trials(worker, run)
            finally:  # before the leases are given up: then others may write these runs
                stopped_at_once = runs.interrupt()
                runs.close()
        mlflow.set_tag("stopped_by", workers.stopped_by)
        click.echo(f"Stopped by {workers.stopped_by}: {_REASONS[workers.stopped_by]}")
    finally:
        if not stopped_at_once:
            from steps.search.outcome import log_outcome  # late, see `_load_outcome`

            outcome = log_outcome(study, context, plan.data_run_id)
    return outcome


def _load_outcome() -> None:
    """Import what draws the figures, most of a second, while a core has no more trials to run."""
    import steps.search.outcome  # noqa: F401


def _announce(plan: Plan, context: TrialContext, n_jobs: int, n_finished: int, n_begun: int) -> None:
    click.echo(
        f"Study {plan.study}: {plan.n_trials} trials"
        + (f", {n_finished} of them done before" if n_finished else "")
        + (f", {n_begun} begun before" if n_begun else "")
        + (f", {n_jobs} at once" if n_jobs else "")
        + f", {plan.precision}"
    )
    if not context.prunable:
        click.echo(f"Pruning: off, Optuna cannot prune a study of {' and '.join(plan.objectives)}")


def _dask_workers(run: Run, n_jobs: int, leases: Leases, watch: Watch, address: str, join: Join) -> DaskWorkers:
    from steps.search.dask import DaskWorkers

    return DaskWorkers(
        address, join, run.info.run_id, n_jobs=n_jobs, cores=available_cores(),
        tracking_uri=shared_tracking_uri(), on_interruption=watch.interruption, withdraw=leases.withdraw,
    )  # fmt: skip
