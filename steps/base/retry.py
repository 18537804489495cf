"""Retry of calls to a store that is busy or away, with growing waits."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from steps.base.redaction import redact

logger = logging.getLogger(__name__)

PATIENCE = 120.0  # seconds
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0  # seconds
_WORTH_SAYING = 1.0  # seconds; shorter waits are everyday

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Retry:
    """Decorator: repeat a call while its failure may pass, for `PATIENCE` seconds; then its error is raised."""

    def __init__(
        self, what: str, may_pass: Callable[[Exception], bool], first_line: Callable[[BaseException], str]
    ) -> None:
        """
        Args:
            what: Name of the store, for the log.
            may_pass: Whether time can heal an error.
            first_line: Message of an error, for the log.
        """
        self._what, self._may_pass, self._first_line = what, may_pass, first_line

    def __call__(self, call: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        @functools.wraps(call)
        def repeat(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            deadline, wait = time.monotonic() + PATIENCE, _FIRST_WAIT
            while True:
                try:
                    return call(*args, **kwargs)
                except Exception as error:
                    if not self._may_pass(error) or time.monotonic() + wait > deadline:
                        raise
                    if wait > _WORTH_SAYING:
                        said = redact(self._first_line(error))
                        logger.warning("%s does not answer, trying again: %s", self._what, said)
                time.sleep(wait)
                wait = min(2 * wait, _LONGEST_WAIT)

        return repeat
