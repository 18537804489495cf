"""The run that `mlflow run` has made for this process, and the failure kept on it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import mlflow
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PROJECT_ENTRY_POINT
from sqlalchemy.engine import make_url

from steps.base.environment import TRACKING_URI
from steps.base.errors import ChildFailed, InputError
from steps.base.redaction import redact
from steps.tracking.absent import if_exists
from steps.tracking.process import Process
from steps.tracking.tags import ERROR_TAG, EXIT_CODE_TAG, PROCESS_TAG, STEP_TAG

RUN_ID = "MLFLOW_RUN_ID"  # by which `mlflow run` names the run that it has made for the process
_MAX_REASON = 500  # characters


def given_run_id() -> str:
    """ID of the run that the environment names; MLflow removes it from there when it opens the run."""
    return os.environ.get(RUN_ID, "")


def is_made_for(run: Run, step: str) -> bool:
    """Return whether `mlflow run` has made this run for the step, and no step has opened it."""
    return bool(run.data.tags.get(MLFLOW_PROJECT_ENTRY_POINT) == step and STEP_TAG not in run.data.tags)


def check_store(given: str) -> None:
    """Return whether the tracking store, whose URI was relative, has the run that `mlflow run` made for this process.

    If the project is in another folder than the one in which `mlflow run` was typed, a relative path means another
    store here, and MLflow would make a new one.

    Args:
        given: The relative URI.

    Raises:
        InputError: It does not.
    """
    run_id = given_run_id()
    if run_id and (not _store_exists() or if_exists(MlflowClient().get_run, run_id) is None):
        raise InputError(
            f"{TRACKING_URI} must be absolute if mlflow run is typed in another folder than that of the project, "
            f"got {given!r}"
        )


def _store_exists() -> bool:
    """Return whether there is a tracking store; MLflow would make one on the first request."""
    uri = mlflow.get_tracking_uri()
    return not uri.startswith("sqlite") or Path(make_url(uri).database or "").exists()


def shortened(reason: str) -> str:
    """A reason as the tag `error` has it: one line of limited length, without secrets."""
    return redact(" ".join(reason.split()))[:_MAX_REASON]


def keep_failure(step: str, run_id: str, reason: str, code: int) -> None:
    """Keep the reason and the exit code of this process on the run that `mlflow run` has made for it.

    The run of another program is left alone. A store that does not answer is no further failure.

    Args:
        run_id: As `given_run_id` returned it when the process began.
    """
    if not _store_exists():
        return
    client = MlflowClient()
    with suppress(MlflowException, OSError):
        run = client.get_run(run_id)
        is_own = run.data.tags.get(PROCESS_TAG) == str(Process.current())
        if is_own or is_made_for(run, step):
            client.set_tag(run_id, ERROR_TAG, shortened(reason))
            client.set_tag(run_id, EXIT_CODE_TAG, str(code))


def failure_of(step: str, run_id: str) -> ChildFailed | None:
    """The failure that a step has kept on its run; None if its process ended without a word."""
    tags = MlflowClient().get_run(run_id).data.tags
    if EXIT_CODE_TAG not in tags:
        return None
    return ChildFailed(f"{step}: {tags.get(ERROR_TAG, '')}", int(tags[EXIT_CODE_TAG]))
