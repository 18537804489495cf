"""File locks between processes; a lock is released when its process ends."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import mlflow
from sqlalchemy.engine import make_url

from steps.base.errors import StepError
from steps.base.files import made_cache_folder

_LONGEST_WAIT = 3600.0  # seconds; a holder predicts one test split, or fetches one data set


@contextmanager
def registry_lock(model_name: str) -> Iterator[None]:
    """Hold the lock of one registered model: the registry has no transactions, and promotion takes several requests.

    The file is next to a SQLite registry, and thus shared by all its users. For a server it is in the user's cache
    directory, and shared by the processes of one machine.

    Raises:
        StepError: The lock was not free for an hour, or its file cannot be used.
    """
    with file_lock(_path(model_name)):
        yield


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock represented by a file.

    The lock is an exclusive SQLite transaction on an empty file. It works between threads, processes and users, on
    every operating system, and is released even if its process is killed.

    Raises:
        StepError: The lock was not free for an hour, or its file cannot be used.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(_exclusive(path)):
        yield


def _exclusive(path: Path) -> sqlite3.Connection:
    """A connection in an exclusive transaction, once no other process has one."""
    try:
        connection = sqlite3.connect(path, timeout=_LONGEST_WAIT, isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        raise StepError(
            f"the lock {path} cannot be held: {error}; if no other step is running, delete that file"
        ) from error
    return connection


def _path(model_name: str) -> Path:
    uri = mlflow.get_registry_uri()
    name = hashlib.sha256(f"{uri}\n{model_name}".encode()).hexdigest()[:16]
    if uri.startswith("sqlite"):
        return Path(make_url(uri).database or "mlflow.db").absolute().parent / f".registry-{name}.lock"
    return made_cache_folder() / "locks" / f"{name}.lock"
