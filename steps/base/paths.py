"""Paths of the command line and the environment, made independent of the working directory."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from urllib.parse import unquote

from steps.base.environment import CHECKPOINTS, STORES, URLS
from steps.base.errors import InputError

_SQLITE_FILE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:)(.+)")

_FILE_URI = re.compile(r"file:(?:///(?=~)|//(?=/)|(?!//))(.+)")  # without a host


def expand_home(path: str) -> str:
    """The path with `~` expanded; unlike with pathlib, an unknown user and an empty text stay as they are."""
    return os.path.expanduser(path)  # noqa: PTH111


def readable(text: str) -> str:
    """The text with undecodable bytes of the command line or file system escaped, so that any store accepts it."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def absolute_url(url: str) -> str:
    """The URL of an SQLite file with its path absolute and `~` expanded; any other URL unchanged."""
    found = _SQLITE_FILE.fullmatch(url)
    if not found:
        return url
    path, mark, query = found[2].partition("?")
    return f"{found[1]}{_quoted(Path(expand_home(unquote(path))).absolute())}{mark}{query}"


def absolute_uri(uri: str) -> str:
    """The URI of an MLflow store with its path absolute and `~` expanded, in a database file or a folder."""
    if uri and ":" not in uri and not uri.startswith("databricks"):
        return str(Path(expand_home(uri)).absolute())
    if folder := _FILE_URI.fullmatch(uri):
        return Path(expand_home(unquote(folder[1]))).absolute().as_uri()
    return absolute_url(uri)


def sqlite_url(path: Path) -> str:
    """The URL of an SQLite file, whatever its folder is called."""
    return f"sqlite:///{_quoted(path)}"


def _quoted(path: Path) -> str:
    """A path as SQLAlchemy takes it in a URL: a question mark would begin the query there."""
    return str(path).replace("%", "%25").replace("?", "%3F")


def anchor_environment() -> dict[str, str]:
    """Make the paths in environment variables absolute, for child processes.

    Child steps are started as `python`, so the folder of this interpreter is put first on the PATH.

    Returns:
        The URLs that were relative, as they were, by variable.
    """
    given = {name: os.environ[name] for name in URLS if name in os.environ}
    os.environ.update({name: absolute_uri(url) if name in STORES else absolute_url(url) for name, url in given.items()})
    if folder := os.environ.get(CHECKPOINTS):
        os.environ[CHECKPOINTS] = str(Path(expand_home(folder)).absolute())
    own, path = str(Path(sys.executable).parent), os.environ.get("PATH", "")
    if path.split(os.pathsep)[0] != own:
        os.environ["PATH"] = f"{own}{os.pathsep}{path}"
    return {name: url for name, url in given.items() if os.environ[name] != url}


def existing_file(value: str, parameter: str) -> Path:
    """The path of a file that exists.

    Raises:
        InputError: It does not exist, or is no file.
    """
    path = Path(value)
    if not path.is_file():
        raise InputError(f"{parameter} must be a file that exists, got {value!r}")
    return path
