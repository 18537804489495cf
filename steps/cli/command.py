"""The click command class of all entry points: one-line errors, exit codes, interruptions."""

from __future__ import annotations

import gc
import math
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import click

from steps.base.errors import InputError, StepError, StepInterrupted
from steps.base.paths import anchor_environment
from steps.base.redaction import redact

_ONE_INTERRUPTION = 2.0  # seconds
EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130


class StepCommand(click.Command):
    """A click command that answers a failure with one line and an exit code.

    2 for what the person gave, 1 for what a disk, a server or the network did, 130 for an interruption.
    """

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        handler = _Interruption()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handler)
        anchor_environment()
        gc.disable()  # what is imported stays; looking through it again and again takes a fifth of the start
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


def project_command(command: click.Command, parameters: Mapping[str, Any], **needed: str) -> str:
    """The `mlflow run` command with these parameters: those that are needed, and all that are no default."""
    context = click.Context(command)
    words = dict(needed)
    for option in command.params:
        name = str(option.name)
        value = parameters[name]
        if name not in words and value != option.type_cast_value(context, option.get_default(context)):
            words[name] = ",".join(value) if isinstance(value, tuple) else str(value)
    options = " ".join(f"-P {name}={shlex.quote(text)}" for name, text in words.items())
    return f"mlflow run . -e {command.name} {options}"


def _outside_failures() -> tuple[type[Exception], ...]:
    """What can go wrong outside this program; imported late, because `--help` needs none of it."""
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
    gc.freeze()  # TensorFlow's modules hold millions of objects; looking through them at exit takes a second
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
    """Handler of SIGINT and SIGTERM: one interruption, however many signals it arrives as.

    The processes around a step (make, mlflow, a shell) each pass Ctrl-C on, so that the second signal
    comes while the first is being answered. The third interruption ends the process as it stands.
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
