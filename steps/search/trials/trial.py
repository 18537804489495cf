"""One trial: suggested, trained, reported on both sides, ended."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Set
from contextlib import nullcontext
from dataclasses import asdict, replace
from functools import partial

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from steps.base.redaction import redact
from steps.search.store.attributes import TUNE_RUNS, TrialAttributes, TrialSettings
from steps.search.strategy.samplers import suggests_in_turn
from steps.search.trials.context import Job, WorkerContext
from steps.search.trials.outputs import drop_outputs, keep_outputs
from steps.search.trials.training import Interrupted, Lost, OnEpoch, Training
from steps.tracking.descriptions import trial_description
from steps.tracking.tags import ERROR_TAG, INTERRUPTED, NOTE_TAG, STATE_TAG, STUDY_TAG, TRIAL_NUMBER_TAG
from steps.tracking.trials import TrialRuns

logger = logging.getLogger(__name__)

RUN_STATUS = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED", TrialState.FAIL: "FAILED"}
_MAX_ERROR = 500  # characters


def prepare(worker: WorkerContext, trial: optuna.Trial) -> Job:
    """Suggest a leased trial's hyperparameters, or take those that an earlier process suggested.

    They are kept in the study with everything else that determines the trial: a space or an option that
    changes later cannot change a trial that goes on.

    Raises:
        Lost: Another process has taken the trial over.
    """
    context, leases, known = worker.context, worker.leases, TrialAttributes.read(trial)
    if known.hyperparameters is not None and known.settings is not None:
        return Job(replace(context, **asdict(known.settings)), trial, known.hyperparameters, began=True)
    settings = TrialSettings(context.epochs, context.seed, context.precision, context.threads)
    try:
        with leases.study_lock() if suggests_in_turn(worker.study.sampler) else nullcontext():
            hyperparameters = context.space.suggest(trial)
        if not leases.holds(trial.number):
            raise Lost
        TrialAttributes(hyperparameters=hyperparameters, settings=settings).write(trial.set_user_attr)
    except UpdateFinishedTrialError as error:
        raise Lost from error
    except ValueError as error:
        return Job(context, trial, {}, began=False, fault=f"its point cannot be tried: {error}")
    return Job(context, trial, hyperparameters, began=False)


def run_trial(
    worker: WorkerContext, job: Job, stop: threading.Event, on_epoch: OnEpoch, deadline: float = math.inf
) -> FrozenTrial | None:
    """Train one leased trial to its end, whatever that is, and record it in the study and in its child run.

    Args:
        stop: Set when the person interrupts; the trial is then put back after its epoch, to be continued.
        on_epoch: Called after each epoch.
        deadline: Of the study, by `time.monotonic`; see `Training.run`.

    Returns:
        The ended trial; None for one that was put back or lost.
    """
    trial, runs, run_id = job.trial, worker.runs, ""
    try:
        run_id = _child_run(worker, job)
        training = Training(worker, job, run_id)
        state, outcome = _train(job, training, stop, on_epoch, deadline)
        measures = outcome.measures
        values = None if measures is None else [measures[objective.name] for objective in job.context.objectives]
        outcome.write(trial.set_user_attr)  # before the end: after it nothing can be written
        kept: Set[str] = set()
        if measures is not None and training.outputs is not None:
            value = measures[job.context.primary.name]
            kept = keep_outputs(worker, run_id, training.outputs, value, job.hyperparameters)
        finished = worker.study.tell(trial, values, state)
    except Interrupted:
        runs.end(run_id, "KILLED", {STATE_TAG: INTERRUPTED})
        runs.flush()  # once it is put back, another process may write its run
        put_back(worker, trial.number)
        return None
    except (Lost, UpdateFinishedTrialError):
        _leave(trial, runs, run_id)
        return None
    drop_outputs(worker, kept)
    training.forget()  # before the run ends: an ended run needs no tidying after a crash
    error = {ERROR_TAG: outcome.error} if outcome.error else {}
    runs.end(run_id, RUN_STATUS[state], {STATE_TAG: state.name} | error)
    worker.leases.release(trial.number)
    return finished


def _train(
    job: Job, training: Training, stop: threading.Event, on_epoch: OnEpoch, deadline: float
) -> tuple[TrialState, TrialAttributes]:
    """Train to the end of the budget, to the pruner's decision, or to an error of the config.

    Raises:
        Interrupted, Lost: The trial has not ended.
    """
    measures, error = None, ""
    try:
        if job.fault:
            raise ValueError(job.fault)
        measures = training.run(stop, on_epoch, deadline)
        state = TrialState.COMPLETE
    except optuna.TrialPruned:
        state = TrialState.PRUNED
    except _trial_errors() as problem:
        state = TrialState.FAIL
        error = redact(f"{type(problem).__name__}: {' '.join(str(problem).split())}")[:_MAX_ERROR]
        logger.warning("Trial %d failed: %s", job.trial.number, error)
    epochs = training.judged_epoch if measures else 0
    return state, TrialAttributes(measures=measures, epochs=epochs, metrics=tuple(training.history), error=error)


def _leave(trial: optuna.Trial, runs: TrialRuns, run_id: str) -> None:
    """Have no more to do with a trial that another process has taken over."""
    logger.warning("Trial %d was taken over while this process was away; its late results are dropped", trial.number)
    runs.leave(run_id)


def put_back(worker: WorkerContext, number: int) -> None:
    """Return a leased trial to Optuna's queue: it is asked again before any new one."""
    storage = worker.leases.storage
    storage.set_trial_state_values(storage.trial_id(worker.study.study_name, number), TrialState.WAITING)
    worker.leases.release(number)


def _child_run(worker: WorkerContext, job: Job) -> str:
    """Resume the child run of a trial that began before, or create one; returns its ID.

    Raises:
        Lost: Another process has taken the trial over.
    """
    trial, runs, leases, study_name = job.trial, worker.runs, worker.leases, worker.study.study_name
    if not leases.holds(trial.number):
        raise Lost
    lost = partial(leases.lost, trial.number)
    tags = {
        STUDY_TAG: study_name,
        TRIAL_NUMBER_TAG: trial.number,
        STATE_TAG: TrialState.RUNNING.name,
        NOTE_TAG: trial_description(trial.number, study_name, job.hyperparameters),
    }
    if job.began:
        # A crash may have come between making the run and noting it.
        earlier = worker.study.user_attrs.get(TUNE_RUNS, [])
        run_id = TrialAttributes.read(trial).run_id or runs.find(trial.number, earlier)
        if run_id and runs.resume(run_id, job.hyperparameters, tags, lost):
            TrialAttributes(run_id=run_id).write(trial.set_user_attr)
            return run_id
    run_id = runs.create(f"trial-{trial.number:03d}", job.hyperparameters, tags, lost)
    TrialAttributes(run_id=run_id).write(trial.set_user_attr)
    return run_id


def _trial_errors() -> tuple[type[Exception], ...]:
    """Errors that a config can cause while it trains; those of the storage or of tracking are not among them."""
    import tensorflow as tf

    return (tf.errors.OpError, ValueError, TypeError, ArithmeticError, MemoryError)
