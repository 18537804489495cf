"""Retries for a tracking store that is busy or unreachable."""

from __future__ import annotations

import functools
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

from mlflow.exceptions import MlflowException
from sqlalchemy import Engine, event

from steps.base.retry import Arguments, Result, Retry


class FifoLock:
    """One request at a time, first come, first served.

    For a store in SQLite, which allows one writer at a time: a thread that waits for SQLite's own lock sleeps longer
    each time, and later threads overtake it.
    """

    def __init__(self) -> None:
        self._first_in_line, self._busy = threading.Lock(), threading.Lock()

    def __call__(self, call: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        """Make a request wait for its turn."""

        @functools.wraps(call)
        def wait(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            with self._first_in_line:
                self._busy.acquire()
            try:
                return call(*args, **kwargs)
            finally:
                self._busy.release()

        return wait


def first_line(error: BaseException) -> str:
    """First line of the store's message, without SQL and parameters."""
    return str(error).partition("\n")[0]


def _may_pass(error: Exception) -> bool:
    """Return whether the error is that of a locked or restarting database; not of a full disk."""
    said = first_line(error)
    temporary = isinstance(error, MlflowException) and error.error_code == "TEMPORARILY_UNAVAILABLE"
    return temporary and "full" not in said and "disk I/O" not in said


# MLflow itself retries requests to an unreachable server (`MLFLOW_HTTP_REQUEST_MAX_RETRIES`). Repeating a request that
# succeeded although it reported a failure is harmless: metrics, parameters and tags are the same, and a second child
# run has no trial, by which `steps.search.recovery` knows it.
retrying = Retry("The tracking store", _may_pass, first_line)

_LOCKED = 60_000  # milliseconds; MLflow asks twice


def wait_for_locks() -> None:
    """Make each connection of this process to an SQLite database wait while another process has it locked.

    MLflow itself gives up after seconds, and only `TrialRuns` retries its requests.
    """
    event.listen(Engine, "connect", _set_busy_timeout)


def _set_busy_timeout(connection: Any, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute(f"PRAGMA busy_timeout = {_LOCKED}")
