"""The click command class of all entry points: one-line errors, exit codes, interruptions."""

from __future__ import annotations

import gc
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

import click

from steps.base.errors import InputError, StepError, StepInterrupted
from steps.base.paths import anchor_environment
from steps.base.redaction import redact

_ONE_INTERRUPTION = 2.0  # seconds
EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130


class StepCommand(click.Command):
    """A click command whose failures are one line and an exit code.

    The code is 2 for bad input, 1 for a failure of a disk, a server or the network, 130 for an interruption.
    """

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        handler = _Interruption()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handler)
        anchor_environment()
        gc.disable()  # imported objects never die; scanning them costs 20 % of start-up
        try:
            super().main(*args, **{**kwargs, "standalone_mode": False})
        except click.exceptions.Exit as stop:
            _exit(stop.exit_code)
        except (KeyboardInterrupt, click.Abort):
            _leave("interrupted")
        except StepInterrupted as interruption:
            _leave(f"interrupted; {interruption}")
        except click.UsageError as error:
            _fail(f"{_about(error)}; see python -m steps.{self.name} --help", EXIT_BAD_INPUT)
        except InputError as error:
            _fail(str(error), EXIT_BAD_INPUT)
        except _outside_failures() as error:
            _fail(str(error).partition("[SQL: ")[0], EXIT_FAILED)
        _exit(0)


def step_command(function: Callable[..., None]) -> StepCommand:
    """Decorator: the function's docstring is the `--help`, its name the entry point."""
    name = function.__module__.rpartition(".")[2] if function.__module__ != "__main__" else function.__name__
    command = click.command(name, cls=StepCommand, context_settings={"show_default": True, "max_content_width": 100})
    return command(function)


def _outside_failures() -> tuple[type[Exception], ...]:
    """Errors whose cause is outside this program; imported late, because `--help` must answer at once."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return (StepError, MlflowException, SQLAlchemyError, OSError)


def _about(error: click.UsageError) -> str:
    if isinstance(error, click.BadParameter) and error.param and error.param.name:
        return f"{error.param.name} {error.message}"
    return error.format_message().rstrip(".")


def _fail(message: str, code: int) -> NoReturn:
    _say(message)
    _exit(code)


def _exit(code: int) -> NoReturn:
    gc.freeze()  # TensorFlow's modules hold millions of objects; scanning them at exit takes a second
    sys.exit(code)


def _leave(message: str) -> NoReturn:
    """End at once: the interpreter would wait for the graphs that other threads still run."""
    _say(message)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_INTERRUPTED)


def _say(message: str) -> None:
    click.echo(f"Error: {redact(' '.join(message.split()))}", err=True)


class _Interruption:
    """Handler of SIGINT and SIGTERM that counts signals in quick succession as one interruption.

    The processes around a step (make, mlflow, a shell) each pass Ctrl-C on, so a second signal arrives while the
    first is being handled. The third interruption ends the process at once.
    """

    def __init__(self) -> None:
        self._last, self._count = -math.inf, 0

    def __call__(self, signum: int, frame: object) -> None:
        now = time.monotonic()
        if now - self._last > _ONE_INTERRUPTION:
            self._last, self._count = now, self._count + 1
            if self._count > 2:
                os._exit(EXIT_INTERRUPTED)
            raise KeyboardInterrupt
