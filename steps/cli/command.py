"""The click command class of all entry points: one-line errors, exit codes, interruptions."""

from __future__ import annotations

import gc
import math
import os
import platform
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, NoReturn

import click

from steps.base.environment import TRACKING_URI
from steps.base.errors import ChildFailed, InputError, StepError, StepInterrupted
from steps.base.paths import anchor_environment
from steps.base.redaction import redact
from steps.base.streams import repair_streams

_ONE_INTERRUPTION = 2.0  # seconds
_RUN_ID = "MLFLOW_RUN_ID"
_MAX_SAID = 300  # characters of an unforeseen message
EXIT_FAILED, EXIT_BAD_INPUT, EXIT_UNFORESEEN, EXIT_INTERRUPTED = 1, 2, 70, 130

# Errors whose cause is outside this program. A module that is not imported yet cannot have raised any.
_OUTSIDE = {
    "mlflow.exceptions": "MlflowException",
    "sqlalchemy.exc": "SQLAlchemyError",
    "tensorflow": "errors.OpError",  # the memory of a GPU that another program uses
}


class StepCommand(click.Command):
    """A click command whose failures are one line and an exit code.

    The code is 2 for bad input, 1 for a failure of a disk, a server or the network, 70 for what nobody foresaw, 130 for
    an interruption.
    """

    def invoke(self, ctx: click.Context) -> Any:
        from steps.tracking.environment import check_environment  # late: `--help` must answer at once

        check_environment()
        from steps.tracking.retry import wait_for_locks

        wait_for_locks()
        if TRACKING_URI in ctx.obj:
            from steps.tracking.given_run import check_store

            check_store(ctx.obj[TRACKING_URI])
        return super().invoke(ctx)

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        handler = _Interruption()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handler)
        repair_streams()
        gc.disable()  # imported objects never die; scanning them costs 20 % of start-up
        fail = partial(_fail, str(self.name), os.environ.get(_RUN_ID, ""))
        try:
            super().main(*args, **{**kwargs, "standalone_mode": False, "obj": anchor_environment()})
        except click.exceptions.Exit as stop:
            _exit(stop.exit_code)
        except (KeyboardInterrupt, click.Abort):
            _leave("interrupted")
        except StepInterrupted as interruption:
            _leave(f"interrupted; {interruption}")
        except ChildFailed as failure:
            fail("", failure.code, reason=str(failure))
        except click.UsageError as error:
            fail(f"{_about(error)}; see python -m steps.{self.name} --help", EXIT_BAD_INPUT)
        except InputError as error:
            fail(str(error), EXIT_BAD_INPUT)
        except _outside_failures() as error:
            fail(_cause(error), EXIT_FAILED)
        except Exception as error:  # the last handler: a mistake of this project, or a cause that it should name
            fail(_report(str(self.name), error), EXIT_UNFORESEEN)
        _exit(0)


def step_command(function: Callable[..., None]) -> StepCommand:
    """Decorator: the function's docstring is the `--help`, its name the entry point."""
    name = function.__module__.rpartition(".")[2] if function.__module__ != "__main__" else function.__name__
    command = click.command(name, cls=StepCommand, context_settings={"show_default": True, "max_content_width": 100})
    return command(function)


def _outside_failures() -> tuple[type[Exception], ...]:
    loaded = [attrgetter(name)(sys.modules[module]) for module, name in _OUTSIDE.items() if module in sys.modules]
    return (StepError, OSError, MemoryError, ImportError, *loaded)


def _cause(error: Exception) -> str:
    """The message of a failure outside of this program, for the one line."""
    if isinstance(error, MemoryError):
        return f"this machine has not enough free memory; {error}".rstrip("; ")
    if isinstance(error, ImportError):
        return f"{error} ({sys.executable}); install the packages that conda.yaml pins, for example by make"
    if isinstance(error, OSError) and not str(error):
        return type(error).__name__
    return str(error).partition("[SQL: ")[0]


def _report(step: str, error: Exception) -> str:
    """Keep the traceback in a file, without secrets; returns the one line that asks for a report."""
    versions = f"Python {platform.python_version()} on {platform.platform()}, step {step}\n"
    text = redact(versions + "".join(traceback.format_exception(error)))
    said = f"{type(error).__name__}: {error}"[:_MAX_SAID]
    try:
        descriptor, path = tempfile.mkstemp(prefix=f"mlp-tuning-{step}-", suffix=".txt")
        os.close(descriptor)
        Path(path).write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError:
        click.echo(text, err=True)
        return f"{said}; nobody foresaw this, please report it with the traceback above"
    return f"{said}; nobody foresaw this, please report it with the file {path}"


def _about(error: click.UsageError) -> str:
    if isinstance(error, click.BadParameter) and error.param and error.param.name:
        return f"{error.param.name} {error.message}"
    return error.format_message().rstrip(".")


def _fail(step: str, run_id: str, message: str, code: int, reason: str = "") -> NoReturn:
    """Show a message, keep it for the step that started this one, and end the process.

    Args:
        run_id: The run that the environment named when the process began.
        message: May be empty, if the line was shown by another step.
        reason: For the run, if it is not the message.
    """
    if message:
        _say(message)
    if run_id:
        with suppress(ValueError):  # the import of MLflow reads the variables that `check_environment` refuses
            from steps.tracking.given_run import keep_failure

            keep_failure(step, run_id, reason or message, code)
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
