"""Continuing a study: the tracking store is synchronized with Optuna's database."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

import optuna
from mlflow.entities import Run
from optuna.trial import FrozenTrial, TrialState

from steps.base.errors import InputError
from steps.search.store.attributes import DATASET_DIGEST, TUNE_RUNS, TrialAttributes
from steps.search.trials.context import WorkerContext
from steps.search.trials.training import costs
from steps.search.trials.trial import RUN_STATUS
from steps.search.trials.workers import trials_of
from steps.tracking.recovery import ChildRun, child_runs, end_dead_run, get_runs, link
from steps.tracking.tags import ERROR_TAG, INTERRUPTED, STATE_TAG

logger = logging.getLogger(__name__)


def continue_study(worker: WorkerContext, run: Run) -> list[str]:
    """Enter a tune run in its study; in an existing study, repair the traces of a crash and adopt the trials.

    Afterwards each trial's child run has the status and the metrics of the trial, and belongs to `run`;
    trials of dead processes wait to be continued; dead tune runs are ended. The operation is idempotent.

    Returns:
        Lines for the person about tune runs that are gone: the study goes on with what its own database has.

    Raises:
        InputError: The study was made with other data.
    """
    study, leases, runs = worker.study, worker.leases, worker.runs
    dataset_digest = worker.context.dataset.digest
    with leases.study_lock():
        known = study.user_attrs
        if known.get(DATASET_DIGEST, dataset_digest) != dataset_digest:
            raise InputError(
                f"study_name must be new for other data, got {study.study_name!r}, which was made with the data "
                f"{known[DATASET_DIGEST][:12]}, not {dataset_digest[:12]}; give another name or its data_run_id"
            )
        study.set_user_attr(DATASET_DIGEST, dataset_digest)
        earlier = [run_id for run_id in known.get(TUNE_RUNS, []) if run_id != run.info.run_id]
        study.set_user_attr(TUNE_RUNS, [*earlier, run.info.run_id])
        trials = trials_of(worker)
        live = leases.live_trials()
    existing = get_runs(earlier)
    if existing:
        link(run.info.run_id, existing[-1].info.run_id, study.study_name)
    live_runs = leases.live_tune_runs()
    found = _without_repeated(worker, child_runs(run.info.experiment_id, earlier), trials, live)
    children = {child.trial_number: child for child in found}
    for trial in trials:
        child = children.get(trial.number)
        if child is not None:
            if child.parent not in live_runs:  # a live process still writes its own
                _repair(worker, trial, child, live)
            runs.move(child.run_id, run.info.run_id, child.first_parent)
    for old in existing:
        if old.info.status == "RUNNING" and old.info.run_id not in live_runs:
            end_dead_run(old)
    gone = [run_id for run_id in earlier if run_id not in {old.info.run_id for old in existing}]
    return [f"Gone: the tune run {run_id} is deleted, or of another tracking store" for run_id in gone]


def gather_trials(worker: WorkerContext, run: Run) -> None:
    """Move the trials that this and other processes have added below the newest tune run of the study.

    The last process also repairs the runs of others that died meanwhile.
    """
    study, leases, runs = worker.study, worker.leases, worker.runs
    tune_runs = study.user_attrs[TUNE_RUNS]
    *others, newest = tune_runs
    experiment = run.info.experiment_id
    runs.flush()
    gathered = child_runs(experiment, others)
    if leases.is_alone(tune_runs):
        trials = study.get_trials(deepcopy=False)
        live = leases.live_trials()
        gathered = _without_repeated(worker, gathered, trials, live)
        unfinished = child_runs(experiment, [newest], unfinished=True)
        for child in [*gathered, *_without_repeated(worker, unfinished, trials, live)]:
            _repair(worker, trials[child.trial_number], child, live)
    for child in gathered:
        runs.move(child.run_id, newest, child.first_parent)


def _without_repeated(
    worker: WorkerContext, children: Sequence[ChildRun], trials: Sequence[FrozenTrial], live: set[int]
) -> list[ChildRun]:
    """The child runs without those, which are deleted, that a repeated request made for a trial that has another one.

    A server that is killed before it answers may have made the run.

    Args:
        live: Numbers of trials that a process trains: it may not have noted the run of its trial yet.
    """
    found, noted = [], {trial.number: TrialAttributes.read(trial).run_id for trial in trials}
    for child in children:
        own = noted.get(child.trial_number, "")  # a database that was restored may lack the trial
        if own in ("", child.run_id) or child.trial_number in live:
            found.append(child)
        else:
            worker.runs.delete(child.run_id)
    return found


def _repair(worker: WorkerContext, trial: FrozenTrial, child: ChildRun, live: set[int]) -> None:
    """Synchronize a child run with its trial; parts that already agree stay unchanged."""
    runs, known = worker.runs, TrialAttributes.read(trial)
    if trial.state.is_finished():
        status, state = RUN_STATUS[trial.state], trial.state.name
        if (child.status, child.state) != (status, state):
            # The end is written last, so only a run without an end can lack something or have a checkpoint.
            worker.checkpoints.remove(child.run_id)
            runs.remember(child.run_id)
            runs.log_params(child.run_id, known.hyperparameters or {})
            for epoch, metrics in enumerate(known.metrics, 1):
                runs.log_metrics(child.run_id, metrics, epoch)
            if known.measures and known.settings:
                runs.log_metrics(child.run_id, costs(known.measures), known.settings.epochs)
            error = {ERROR_TAG: known.error} if trial.state == TrialState.FAIL and known.error else {}
            runs.end(child.run_id, status, {STATE_TAG: state} | error)
    elif trial.number not in live:
        if not known.run_id:
            storage = worker.leases.storage
            trial_id = storage.trial_id(worker.study.study_name, trial.number)
            TrialAttributes(run_id=child.run_id).write(partial(storage.set_trial_user_attr, trial_id))
        if (child.status, child.state) != ("KILLED", INTERRUPTED):
            runs.end(child.run_id, "KILLED", {STATE_TAG: INTERRUPTED})


def n_to_continue(study: optuna.Study) -> int:
    """Number of trials begun by earlier processes that wait to be continued."""
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    return sum(bool(TrialAttributes.read(trial).run_id) for trial in waiting)
