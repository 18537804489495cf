"""File locks between processes; a lock is released when its process ends."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import mlflow
from sqlalchemy.engine import make_url

from steps.base.files import cache_folder

_LONGEST_WAIT = 3600.0  # seconds; a holder predicts one test split, or fetches one data set


@contextmanager
def registry_lock(model_name: str) -> Iterator[None]:
    """Hold the lock of one registered model: the registry has no transactions, and promotion takes several requests.

    The file is next to a SQLite registry, and thus shared by all its users. For a server it is in the user's cache
    directory, and shared by the processes of one machine.

    Raises:
        sqlite3.OperationalError: The lock was not free for an hour.
    """
    with file_lock(_path(model_name)):
        yield


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock represented by a file.

    The lock is an exclusive SQLite transaction on an empty file. It works between threads, processes and users, on
    every operating system, and is released even if its process is killed.

    Raises:
        sqlite3.OperationalError: The lock was not free for an hour.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=_LONGEST_WAIT, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


def _path(model_name: str) -> Path:
    uri = mlflow.get_registry_uri()
    name = hashlib.sha256(f"{uri}\n{model_name}".encode()).hexdigest()[:16]
    if uri.startswith("sqlite"):
        return Path(make_url(uri).database or "mlflow.db").absolute().parent / f".registry-{name}.lock"
    return cache_folder() / "locks" / f"{name}.lock"
