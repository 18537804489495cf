"""Artifacts of a run, read back, and the errors if they are gone."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import mlflow
from mlflow.exceptions import MlflowException
from sqlalchemy.engine import make_url

from steps.base.errors import InputError
from steps.tracking.files import RunFiles

Content = TypeVar("Content")


def read_artifact(run_id: str, artifact: str, parse: Callable[[bytes], Content]) -> Content:
    """The content of an artifact of any run.

    Raises:
        InputError: The run does not have the artifact, or another version of this project wrote it.
    """
    files = RunFiles(run_id)
    try:
        with tempfile.TemporaryDirectory() as folder:
            content = files.download(artifact, Path(folder)).read_bytes()
    except (OSError, MlflowException) as error:
        raise absent(files, run_id, artifact, str(error)) from error
    try:
        return parse(content)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise InputError(
            f"the artifact {artifact} of run {run_id} must be as this version of the project writes it, got another "
            f"one ({type(error).__name__}: {error}); run its step again"
        ) from error


def absent(files: RunFiles, run_id: str, artifact: str, reason: str = "") -> InputError:
    """An error with the last known location of an artifact and a remedy."""
    if files.folder is None:
        return InputError(f"run {run_id} has no readable artifact {artifact} ({reason}); run its step again")
    if files.folder.is_dir():
        return InputError(
            f"run {run_id} must have the artifact {artifact} in {files.folder}, which lacks it; run its step again"
        )
    return InputError(
        f"the artifacts of run {run_id} must be in {files.folder}, which has none; {way_back(files.folder)}"
    )


def way_back(folder: Path) -> str:
    """Remedy for a store that was moved: files next to its database are found automatically."""
    url = mlflow.get_tracking_uri()
    if url.startswith("sqlite"):
        beside = Path(make_url(url).database or "mlflow.db").absolute().parent
        for old in folder.parents:
            if (beside / folder.relative_to(old)).is_dir() and not old.exists():
                return f"they are in {beside} now: move them back, or run: ln -s {_quoted(beside)} {_quoted(old)}"
    return "put them there again, or run its step again"


def _quoted(path: Path) -> str:
    return shlex.quote(os.fspath(path))
