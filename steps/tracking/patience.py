"""Waiting for a tracking store that is busy or away."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from mlflow.exceptions import MlflowException

from steps.redaction import redact

logger = logging.getLogger(__name__)

PATIENCE = 120.0  # seconds
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0  # seconds

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def patiently(call: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Repeat a request while the store's database is locked or restarting, for `PATIENCE` seconds.

    A server that cannot be reached is waited for by MLflow itself (`MLFLOW_HTTP_REQUEST_MAX_RETRIES`).
    A request that was done although it failed is harmless when repeated: metrics, parameters and tags
    are the same ones, and a second child run has no trial.
    """

    @functools.wraps(call)
    def repeat(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        deadline, wait = time.monotonic() + PATIENCE, _FIRST_WAIT
        while True:
            try:
                return call(*args, **kwargs)
            except MlflowException as error:
                if error.error_code != "TEMPORARILY_UNAVAILABLE" or _is_full(error) or time.monotonic() > deadline:
                    raise
                logger.warning("The tracking store does not answer, trying again: %s", redact(first_line(error)))
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    return repeat


class Turns:
    """One request at a time, in the order in which they came.

    For a store in SQLite, which has one writer at a time: who waits for its lock sleeps, each time longer,
    and those who come later overtake.
    """

    def __init__(self) -> None:
        self._first_in_line, self._busy = threading.Lock(), threading.Lock()

    def __call__(self, call: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        """Let a request wait for its turn."""

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
    """What the store said, without SQL and parameters."""
    return str(error).partition("\n")[0]


def _is_full(error: MlflowException) -> bool:
    return "full" in first_line(error) or "disk I/O" in first_line(error)
