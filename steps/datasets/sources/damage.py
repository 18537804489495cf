"""Damaged files: the exceptions of the libraries that read them, as one line."""

from __future__ import annotations

import sys
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from steps.base.errors import InputError
from steps.datasets.sources.source import SourceError

# Of NumPy, zipfile and Arrow, depending on the position of the damage.
UNREADABLE = (
    OSError, ValueError, TypeError, KeyError, EOFError, SyntaxError, RuntimeError, MemoryError, OverflowError,
    zipfile.BadZipFile, zlib.error, tokenize.TokenError, pa.ArrowException,
)  # fmt: skip
_LONGEST = 300  # characters


@contextmanager
def refusing_damage(expected: str, path: Path) -> Iterator[None]:
    """Refuse a file that a library cannot read in the block.

    Args:
        expected: What the file must be: "an undamaged Parquet file".

    Raises:
        SourceError: The library has raised an exception.
    """
    try:
        with quiet_callbacks():
            yield
    except (SourceError, InputError):
        raise
    except UNREADABLE as error:
        raise SourceError(f"must be {expected}, got {str(path)!r} ({one_line(error)})") from error


@contextmanager
def quiet_callbacks() -> Iterator[list[BaseException | None]]:
    """Print nothing if a callback of Arrow fails, and collect the errors.

    Arrow decodes a row of a wrong length before it calls the handler. If that fails, it reports the row as an error,
    after Python has printed a traceback.
    """
    errors: list[BaseException | None] = []
    before, sys.unraisablehook = sys.unraisablehook, lambda unraisable: errors.append(unraisable.exc_value)
    try:
        yield errors
    finally:
        sys.unraisablehook = before


def one_line(error: Exception) -> str:
    """The message of an exception in one line of limited length."""
    return " ".join(str(error).split())[:_LONGEST] or type(error).__name__
