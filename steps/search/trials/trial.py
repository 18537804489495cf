"""One trial: suggested, trained, reported on both sides, ended."""

from __future__ import annotations

import logging
import threading
from functools import partial
from typing import Any

import optuna
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from steps.base.redaction import redact
from steps.search.store.leases import Leases
from steps.search.store.study import TUNE_RUNS
from steps.search.trials.checkpoints import Checkpoints
from steps.search.trials.context import Job
from steps.search.trials.training import Interrupted, Lost, OnEpoch, Training
from steps.tracking.descriptions import trial_description
from steps.tracking.pending_writes import INTERRUPTED, STATE_TAG
from steps.tracking.trials import STUDY_TAG, TRIAL_NUMBER_TAG, TrialRuns

logger = logging.getLogger(__name__)

RUN_STATUS = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED", TrialState.FAIL: "FAILED"}
# User attributes of the Optuna trial.
RUN_ID, MEASURES, ERROR, METRICS = "mlflow.run_id", "measures", "error", "metrics"
_MAX_ERROR = 500  # characters


def run_trial(
    job: Job,
    study: optuna.Study,
    runs: TrialRuns,
    leases: Leases,
    checkpoints: Checkpoints,
    stop: threading.Event,
    on_epoch: OnEpoch,
) -> FrozenTrial | None:
    """Train one claimed trial to its end, whatever that is, and record it in the study and in its child run.

    Args:
        stop: Set when the person interrupts; the trial is then put back after its epoch, to be continued.
        on_epoch: Called after each epoch.

    Returns:
        The ended trial; None for one that was put back or lost.
    """
    trial = job.trial
    run_id, values, error = "", None, ""
    attributes: dict[str, Any] = {}
    try:
        run_id = _child_run(job, study.study_name, runs, leases)
        training = Training(job, runs, run_id, checkpoints, lambda: leases.holds(trial._trial_id))
        measures = training.run(stop, on_epoch)
        attributes[MEASURES] = measures
        values = [measures[objective.name] for objective in job.context.objectives]
        state = TrialState.COMPLETE
    except optuna.TrialPruned:
        state = TrialState.PRUNED
    except Interrupted:
        runs.end(run_id, "KILLED", {STATE_TAG: INTERRUPTED})
        runs.flush()  # once it is put back, another process may write its run
        put_back(study, trial._trial_id, leases)
        return None
    except (Lost, UpdateFinishedTrialError):
        _leave(trial, runs, run_id)
        return None
    except _trial_errors() as problem:
        state = TrialState.FAIL
        error = redact(f"{type(problem).__name__}: {' '.join(str(problem).split())}")[:_MAX_ERROR]
        logger.warning("Trial %d failed: %s", trial.number, error)
        attributes[ERROR] = error
    attributes[METRICS] = [list(vars(metrics).values()) for metrics in training.history]
    try:
        with leases.storage.together():
            for key, value in attributes.items():
                trial.set_user_attr(key, value)
            finished = study.tell(trial, values, state)
    except UpdateFinishedTrialError:
        _leave(trial, runs, run_id)
        return None
    training.forget()  # before the run ends: what has ended needs no tidying after a crash
    runs.end(run_id, RUN_STATUS[state], {STATE_TAG: state.name} | ({ERROR: error} if error else {}))
    leases.release(trial._trial_id)
    return finished


def _leave(trial: optuna.Trial, runs: TrialRuns, run_id: str) -> None:
    """Have no more to do with a trial that another process has taken over."""
    logger.warning("Trial %d was taken over while this process was away; its late results are dropped", trial.number)
    runs.leave(run_id)


def put_back(study: optuna.Study, trial_id: int, leases: Leases) -> None:
    """Return a claimed trial to Optuna's queue: it is asked again before any new one."""
    study._storage.set_trial_state_values(trial_id, TrialState.WAITING)
    leases.release(trial_id)


def _child_run(job: Job, study_name: str, runs: TrialRuns, leases: Leases) -> str:
    trial = job.trial
    if not leases.holds(trial._trial_id):
        raise Lost
    lost = partial(leases.lost, trial._trial_id)
    tags = {
        STUDY_TAG: study_name,
        TRIAL_NUMBER_TAG: trial.number,
        STATE_TAG: TrialState.RUNNING.name,
        MLFLOW_RUN_NOTE: trial_description(trial.number, study_name, job.hyperparameters),
    }
    if job.began:
        # A crash may have come between making the run and noting it.
        run_id = trial.user_attrs.get(RUN_ID) or runs.find(trial.number, trial.study.user_attrs.get(TUNE_RUNS, []))
        if run_id and runs.resume(run_id, job.hyperparameters, tags, lost):
            trial.set_user_attr(RUN_ID, run_id)
            return str(run_id)
    run_id = runs.create(f"trial-{trial.number:03d}", job.hyperparameters, tags, lost)
    trial.set_user_attr(RUN_ID, run_id)
    return run_id


def _trial_errors() -> tuple[type[Exception], ...]:
    """What a config can do wrong while it trains; a fault of the storage or of tracking is none of these."""
    import tensorflow as tf

    return (tf.errors.OpError, ValueError, TypeError, ArithmeticError, MemoryError)
