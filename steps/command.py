"""What every entry point has in common as a command: options, one-line errors, quiet libraries."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import click

from steps.errors import InputError

# Before TensorFlow is imported anywhere; a person's own setting wins.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130


class StepCommand(click.Command):
    """A click command that answers a failure with one line and an exit code.

    2 for what the person gave, 1 for what a disk, a server or the network did, 130 for an interruption.
    """

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            super().main(*args, **{**kwargs, "standalone_mode": False})
        except click.exceptions.Exit as stop:
            sys.exit(stop.exit_code)
        except (KeyboardInterrupt, click.Abort):
            _fail("interrupted", EXIT_INTERRUPTED)
        except click.UsageError as error:
            _fail(f"{_about(error)}; see python -m steps.{self.name} --help", EXIT_BAD_INPUT)
        except InputError as error:
            _fail(str(error), EXIT_BAD_INPUT)
        except _outside_failures() as error:
            _fail(str(error), EXIT_FAILED)
        sys.exit(0)


def step_command(function: Callable[..., None]) -> StepCommand:
    """Decorator: the function's docstring is the `--help`, its name the entry point."""
    name = function.__module__.rpartition(".")[2] if function.__module__ != "__main__" else function.__name__
    command = click.command(name, cls=StepCommand, context_settings={"show_default": True, "max_content_width": 100})
    return command(function)


def quiet_libraries() -> None:
    """Silence the chatter of MLflow, Optuna and Alembic that means nothing to the person."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    for name in ("mlflow.store.db.utils", "mlflow.tracking.fluent", "alembic", "optuna"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=FutureWarning)


def _outside_failures() -> tuple[type[Exception], ...]:
    """What can go wrong outside this program; imported late, because `--help` needs none of it."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    from steps.datasets import DataError

    return (DataError, MlflowException, SQLAlchemyError, OSError)


def _about(error: click.UsageError) -> str:
    if isinstance(error, click.BadParameter) and error.param and error.param.name:
        return f"{error.param.name} {error.message}"
    return error.format_message().rstrip(".")


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    sys.exit(code)


def _interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt
