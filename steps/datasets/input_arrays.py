"""Readers of NumPy files: `.npy`, and `.npz` with an array `features` and optionally `labels`."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np

from steps.base.errors import InputError
from steps.datasets.inputs import CHUNK_ROWS, Raw, check_width
from steps.datasets.interface import Interface

_FEATURES, _LABELS = "features", "labels"


class _Stream:
    """An array read from its file row by row, front to back, never mapped and never whole."""

    def __init__(self, file: IO[bytes], what: str) -> None:
        self._file, self._what = file, what
        try:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            self.shape, fortran, self.dtype = read(file)
        except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
            raise InputError(f"input must be an array of numbers, got {what!r} ({error})") from error
        if not self.shape or (fortran and len(self.shape) > 1):
            raise InputError(f"input must be an array of rows in C order, got shape {self.shape} in {what!r}")

    def chunks(self) -> Iterator[np.ndarray]:
        """(at most CHUNK_ROWS, ...) arrays."""
        row = self.dtype.itemsize * math.prod(self.shape[1:])
        for start in range(0, self.shape[0], CHUNK_ROWS):
            n = min(CHUNK_ROWS, self.shape[0] - start)
            try:
                content = self._file.read(n * row)
            except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
                raise InputError(f"input must be an undamaged file, got {self._what!r} ({error})") from error
            if len(content) < n * row:
                raise InputError(f"input must be a whole file, got {self._what!r}, which ends early")
            yield np.frombuffer(content, self.dtype).reshape(n, *self.shape[1:])


class NpyReader:
    """A `.npy` file (n, n_features) or (n, height, width); `position` counts rows."""

    key = "row"

    def __init__(self, path: Path, interface: Interface) -> None:
        self._path, self._interface = path, interface
        with ExitStack() as stack:
            features, self._labelled = self._open(stack)
            kind: np.dtype[Any] = features.dtype
            if not np.issubdtype(kind, np.number) or np.issubdtype(kind, np.complexfloating):
                raise InputError(f"input must be an array of numbers, got {kind} in {str(path)!r}")
            self.size = features.shape[0]
            check_width(math.prod(features.shape[1:]), interface, path)
            if self._labelled is not None and self._labelled.shape != (self.size,):
                raise InputError(
                    f"input must have one label per row, got {self._labelled.shape} labels, {self.size} rows"
                )
        if self.size == 0:
            raise InputError(f"input must have rows, got {str(path)!r}, which is empty")
        self.columns = [str(i) for i in range(interface.n_features)]

    def __iter__(self) -> Iterator[Raw]:
        number = 1
        with ExitStack() as stack:
            features, labels = self._open(stack)
            label_chunks = labels.chunks() if labels else None
            for part in features.chunks():
                values = part.reshape(len(part), -1)  # (n, height, width) -> (n, height * width)
                names = [str(label) for label in next(label_chunks)] if label_chunks else None
                yield Raw(range(number, number + len(values)), values, names, number + len(values) - 1)
                number += len(values)

    def _open(self, stack: ExitStack) -> tuple[_Stream, _Stream | None]:
        return _Stream(stack.enter_context(self._path.open("rb")), str(self._path)), None


class NpzReader(NpyReader):
    """A `.npz` file with `features` as in `NpyReader`, and `labels` (n,), class names or their numbers."""

    def _open(self, stack: ExitStack) -> tuple[_Stream, _Stream | None]:
        try:
            archive = stack.enter_context(zipfile.ZipFile(self._path))
        except (zipfile.BadZipFile, OSError) as error:
            raise InputError(f"input must be an .npz file, got {str(self._path)!r} ({error})") from error
        names = {name.removesuffix(".npy") for name in archive.namelist()}
        if _FEATURES not in names:
            raise InputError(f"input must hold an array {_FEATURES!r}, got {sorted(names)} in {str(self._path)!r}")

        def stream(name: str) -> _Stream:
            return _Stream(stack.enter_context(archive.open(f"{name}.npy")), f"{self._path}: {name}")

        return stream(_FEATURES), stream(_LABELS) if _LABELS in names else None
