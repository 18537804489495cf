"""SHA-256 of the content of a source."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc

from steps.base.files import file_digest


def files_digest(files: Sequence[Path], root: Path) -> str:
    """SHA-256 over names relative to `root` and bytes of several files, in the format of `sha256sum`."""
    lines = [f"{file_digest(path)}  {path.relative_to(root).as_posix()}\n" for path in files]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def table_digest(table: pa.Table) -> str:
    """SHA-256 of a table without a file, written as CSV."""
    sink = _Hash()
    pc.write_csv(table, pa.PythonFile(sink, mode="w"))
    return sink.sha.hexdigest()


class _Hash:
    """Sink for Arrow that keeps only a digest."""

    closed = False

    def __init__(self) -> None:
        self.sha = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.sha.update(data)
        return len(data)

    def flush(self) -> None:
        """No-op: nothing is buffered."""

    def close(self) -> None:
        """No-op: nothing is open."""


def content_digest(given: str) -> str:
    """SHA-256 of a file, a folder or the files of a glob; of the name itself if it is none of these."""
    path = Path(given).expanduser()
    if given and path.is_file():
        return file_digest(path)
    if given and path.is_dir():
        return files_digest(sorted(file for file in path.rglob("*") if file.is_file()), path)
    return hashlib.sha256(given.encode()).hexdigest()
