"""Runs of steps: opening, finding and reusing them."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import mlflow
from mlflow.entities import Experiment, LifecycleStage, Run, ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from steps.base.errors import InputError
from steps.tracking.absent import if_exists
from steps.tracking.descriptions import step_description
from steps.tracking.given_run import RUN_ID, given_run_id, is_made_for, shortened
from steps.tracking.process import Process
from steps.tracking.recovery import end_dead_runs
from steps.tracking.tags import ERROR_TAG, FINGERPRINT_TAG, NOTE_TAG, PROCESS_TAG, STEP_TAG
from steps.tracking.ui_urls import share_view

logger = logging.getLogger(__name__)

_EXPERIMENT_ID, _EXPERIMENT_NAME, _DEFAULT = "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME", "Default"
_RANDOM_NAME = re.compile(r"[a-z]+-[a-z]+-\d+")


@contextmanager
def step_run(step: str, parameters: Mapping[str, object], fingerprint: str = "") -> Iterator[Run]:
    """The run of a step: the one that `mlflow run` created for it, or a new one with `parameters`.

    It ends FINISHED or, if the block raises, FAILED with the reason in the tag `error`. Runs that crashed steps have
    left RUNNING are ended first.
    """
    made_for_us = _made_for(step)
    name = step
    if made_for_us:
        given = made_for_us.info.run_name
        name = step if _RANDOM_NAME.fullmatch(given) else given
    tags = {STEP_TAG: step, PROCESS_TAG: str(Process.current()), NOTE_TAG: step_description(step)}
    if fingerprint:
        tags[FINGERPRINT_TAG] = fingerprint
    end_dead_runs(experiment_id())
    share_view(experiment_id())
    with mlflow.start_run(run_name=name, tags=tags) as run:
        if not made_for_us:
            mlflow.log_params(parameters)
        with _reason_kept():
            yield run


def _made_for(step: str) -> Run | None:
    """The run that `mlflow run` has created for this step.

    The environment may instead name the run of a surrounding program. It is left alone: MLflow would write into it, and
    end it.
    """
    run_id = given_run_id()
    if not run_id:
        return None
    run = if_exists(MlflowClient().get_run, run_id)
    if run is not None and is_made_for(run, step):
        return run
    del os.environ[RUN_ID]
    logger.warning(
        "%s names the run %s, which is not for the step %s: left alone, a new one is made", RUN_ID, run_id, step
    )
    return None


@contextmanager
def _reason_kept() -> Iterator[None]:
    """Keep the message of an exception in the tag `error` of the active run."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        with suppress(MlflowException, OSError):  # the store itself may have failed
            mlflow.set_tag(ERROR_TAG, shortened(str(error)) or type(error).__name__)
        raise


def get_step_run(run_id: str, step: str, parameter: str, status: str = "FINISHED") -> Run:
    """The run of `step` with this ID and status.

    Raises:
        InputError: There is no such run, or it has another step or status; the message names the parameter.
    """
    run = find_step_run(run_id, (step,), parameter)
    if run.info.status != status:
        raise InputError(f"{parameter} must be the ID of a {status} run, got {run_id!r}: it is {run.info.status}")
    return run


def find_step_run(run_id: str, steps: Sequence[str], parameter: str) -> Run:
    """The run with this ID of one of these steps, whatever its status.

    Raises:
        InputError: There is no such run, or it has another step; the message names the parameter.
    """
    kinds = " or ".join(filter(None, (", ".join(steps[:-1]), steps[-1])))
    wanted = f"{parameter} must be the ID of a {kinds} run, got {run_id!r}"
    run = if_exists(MlflowClient().get_run, run_id)
    if run is None:
        raise InputError(f"{wanted}: there is no such run")
    found = run.data.tags.get(STEP_TAG, "no step of this pipeline")
    if found not in steps:
        raise InputError(f"{wanted}: it is a run of {found}")
    return run


def newest_step_run(step: str, artifact: str, fingerprint: str = "") -> Run | None:
    """The newest finished run of `step` in this experiment whose artifact still exists; else None."""
    query = f"tags.`{STEP_TAG}` = '{step}' AND attributes.status = 'FINISHED'"
    if fingerprint:
        query += f" AND tags.`{FINGERPRINT_TAG}` = '{fingerprint}'"
    client = MlflowClient()
    for run in client.search_runs([experiment_id()], query, order_by=["attributes.start_time DESC"], max_results=10):
        if artifact in {entry.path for entry in client.list_artifacts(run.info.run_id)}:
            return run
    return None


def newest_run(step: str, experiments: Sequence[str], view: int = ViewType.ACTIVE_ONLY) -> Run | None:
    """The newest finished run of a step in these experiments."""
    query, order = f"tags.`{STEP_TAG}` = '{step}' AND attributes.status = 'FINISHED'", ["attributes.start_time DESC"]
    found = MlflowClient().search_runs(experiments, query, view, max_results=1, order_by=order)
    return found[0] if found else None


def newest_running(step: str) -> str:
    """ID of the newest active run of `step` in this experiment; "" if there is none."""
    query = f"tags.`{STEP_TAG}` = '{step}' AND attributes.status = 'RUNNING'"
    order = ["attributes.start_time DESC"]
    found = MlflowClient().search_runs([experiment_id()], query, order_by=order, max_results=1)
    return str(found[0].info.run_id) if found else ""


def experiment_id() -> str:
    """The experiment that MLflow would log to: that of the active run, or the one set in the environment.

    An experiment that is only named is made if it is missing.

    Raises:
        InputError: The environment names an experiment that is deleted or, by its ID, one that does not exist.
    """
    if run := mlflow.active_run():
        return str(run.info.experiment_id)
    if (found := given_experiment()) is not None:
        return str(found.experiment_id)
    name = os.environ.get(_EXPERIMENT_NAME) or _DEFAULT
    experiment = mlflow.get_experiment_by_name(name)
    return str(_active(experiment, name).experiment_id if experiment else mlflow.create_experiment(name))


def given_experiment() -> Experiment | None:
    """The existing experiment that the environment names; None if it names none or a new one.

    Raises:
        InputError: It is deleted; or only its ID is given, and there is none with it.
    """
    client = MlflowClient()
    if name := os.environ.get(_EXPERIMENT_NAME):
        by_name = client.get_experiment_by_name(name)
        return _active(by_name, f"{_EXPERIMENT_NAME}={name}") if by_name else None
    given = os.environ.get(_EXPERIMENT_ID)
    if not given:
        return None
    by_id = if_exists(client.get_experiment, given)
    if by_id is None:
        raise InputError(f"{_EXPERIMENT_ID} must be the ID of an experiment, got {given!r}, which does not exist")
    return _active(by_id, f"{_EXPERIMENT_ID}={given}")


def _active(experiment: Experiment, given: str) -> Experiment:
    if experiment.lifecycle_stage == LifecycleStage.DELETED:
        raise InputError(
            f"the experiment must be one that is not deleted, got {given}; bring it back with: mlflow experiments "
            f"restore --experiment-id {experiment.experiment_id}; or set {_EXPERIMENT_NAME} to another one"
        )
    return experiment


def fingerprint_of(run: Run) -> str:
    """Fingerprint of this run, as an input of a later step."""
    return str(run.data.tags.get(FINGERPRINT_TAG) or run.info.run_id)
