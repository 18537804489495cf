"""Files: replaced whole or not at all, a digest of arrays, and the cache folder of this project."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from steps.base.errors import InputError


def cache_folder() -> Path:
    """This project's folder in the user's cache directory, which may not exist; it can be deleted at any time."""
    return user_cache_path("mlp-tuning")


def made_cache_folder() -> Path:
    """The cache folder, made if it is missing.

    Raises:
        InputError: It cannot be made or written; the message names the variable that moves it.
    """
    return made_folder(cache_folder(), "XDG_CACHE_HOME")


def made_folder(folder: Path, variable: str) -> Path:
    """A folder below the user's home, made if it is missing.

    Args:
        variable: Environment variable that moves it.

    Raises:
        InputError: It cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise InputError(
            f"{variable} must be a folder that can be written, got {str(folder.parent)!r} ({error.strerror}); set it "
            "to another one"
        ) from error
    return folder


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Replace a file atomically: a reader finds the old file or the whole new one.

    Args:
        path: Its folder is made if it is missing.
        durable: Also survive a power cut, at the cost of two syncs.

    Yields:
        The path of a draft, in the same folder. If the block raises, the draft is removed and `path` is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        if durable:
            _sync(draft)
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    if durable:
        with contextlib.suppress(OSError):  # some systems cannot sync a folder
            _sync(path.parent)


def remove_with_drafts(path: Path) -> None:
    """Remove a file if it exists, and the drafts that a crash within `replacing` left behind."""
    for file in (path, *path.parent.glob(f".{glob.escape(path.name)}.*")):
        file.unlink(missing_ok=True)


def array_digest(arrays: Iterable[np.ndarray]) -> str:
    """SHA-256 over dtype, shape and content of each array, in order."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(f"{array.dtype.str}{array.shape}".encode())
        sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
