"""Paths as a person types them: relative to the folder of the command, also for a step that works in another one."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import click

from steps.base.errors import InputError

_SQLITE_FILE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:)(.+)")
_URLS = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "TUNE_STORAGE")


class FilePath(click.ParamType):
    """The absolute path of a file that exists; anything else as it is, for the step to judge."""

    name = "path"

    def __init__(self, names: Callable[[], Collection[str]] = tuple) -> None:
        """
        Args:
            names: Gives words that are no paths.
        """
        self._names = names

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        return str(Path(text).absolute()) if text not in self._names() and Path(text).is_file() else text


class DatabaseUrl(click.ParamType):
    """A database URL; that of an SQLite file with an absolute path."""

    name = "URL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return absolute_url(str(value))


def absolute_url(url: str) -> str:
    """The URL of an SQLite file with an absolute path; any other as it is."""
    found = _SQLITE_FILE.fullmatch(url)
    return f"{found[1]}{Path(found[2]).absolute()}" if found else url


def anchor_environment() -> None:
    """Make what the environment names hold in any folder, for the steps that this one starts.

    They are started as `python`: this interpreter's folder comes first on the PATH.
    """
    for name in _URLS:
        if name in os.environ:
            os.environ[name] = absolute_url(os.environ[name])
    if folder := os.environ.get("TUNE_CHECKPOINTS"):
        os.environ["TUNE_CHECKPOINTS"] = str(Path(folder).absolute())
    own, path = str(Path(sys.executable).parent), os.environ.get("PATH", "")
    if path.split(os.pathsep)[0] != own:
        os.environ["PATH"] = f"{own}{os.pathsep}{path}"


def existing_file(value: str, parameter: str) -> Path:
    """The path, if it is a file.

    Raises:
        InputError: It is not.
    """
    path = Path(value)
    if not path.is_file():
        raise InputError(f"{parameter} must be a file that exists, got {value!r}")
    return path
