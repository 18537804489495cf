"""The MLflow Project's folder, and steps started from other steps."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path

import mlflow

from steps.base.paths import absolute_url

PACKAGE = Path(__file__).parents[1]


def project_folder() -> Path:
    """The folder with `MLproject` and `conda.yaml`: the repository, or inside an installed copy."""
    repository = PACKAGE.parent
    return repository if (repository / "MLproject").is_file() else PACKAGE / "project"


def shared_tracking_uri() -> str:
    """The tracking URI for a process elsewhere: absolute, and without credentials, which that process has itself."""
    return re.sub(r"(?<=://)[^\s/@]*@", "", absolute_url(str(mlflow.get_tracking_uri())))


def launch(step: str, parameters: Mapping[str, object]) -> str:
    """Run a step of this project in a separate process, in this environment; return its run ID.

    Inside an active run, the new run is its child.

    Raises:
        mlflow.exceptions.ExecutionException: The step failed; it has printed the reason.
    """
    logging.getLogger("mlflow.projects").setLevel(logging.WARNING)
    submitted = mlflow.projects.run(
        str(project_folder()),
        entry_point=step,
        parameters={name: str(value) for name, value in parameters.items()},
        run_name=step,
        env_manager="local",
    )
    return str(submitted.run_id)
