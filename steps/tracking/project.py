"""The MLflow Project's folder, and steps started from other steps."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Mapping
from pathlib import Path

import mlflow
from mlflow.exceptions import ExecutionException

from steps.base.errors import StepError
from steps.base.paths import absolute_uri
from steps.tracking.given_run import failure_of

PACKAGE = Path(__file__).parents[1]
_RUN_ID = re.compile(r"\b[0-9a-f]{32}\b")  # in MLflow's message about a run that failed


def project_folder() -> Path:
    """The folder with `MLproject` and `conda.yaml`: the repository, or inside an installed copy."""
    repository = PACKAGE.parent
    return repository if (repository / "MLproject").is_file() else PACKAGE / "project"


def shared_tracking_uri() -> str:
    """The tracking URI for a process elsewhere: absolute, and without credentials, which that process has itself."""
    return re.sub(r"(?<=://)[^\s/@]*@", "", absolute_uri(mlflow.get_tracking_uri()))


def launch(step: str, parameters: Mapping[str, object]) -> str:
    """Run a step of this project in a separate process, in this environment; return its run ID.

    Inside an active run, the new run is its child.

    Raises:
        ChildFailed: The step failed, and has shown the reason.
        StepError: The step failed, and its run does not say why; it may have been killed.
    """
    logging.getLogger("mlflow.projects").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(absolute_uri(mlflow.get_tracking_uri()))
    try:
        with contextlib.chdir(
            project_folder()
        ):  # MLflow takes the part of a path after "#" for a folder of a repository
            submitted = mlflow.projects.run(
                ".",
                entry_point=step,
                parameters={name: str(value) for name, value in parameters.items()},
                run_name=step,
                env_manager="local",
            )
    except ExecutionException as error:
        run_id = _RUN_ID.search(str(error))
        failure = failure_of(step, run_id[0]) if run_id else None
        raise failure or StepError(
            f"the step {step} did not finish; its message is above, unless it was killed"
        ) from error
    return str(submitted.run_id)
