"""Readers of NumPy files: `.npy`, and `.npz` with an array of features and optionally one of labels."""

from __future__ import annotations

import math
import shutil
import tempfile
import weakref
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from steps.base.errors import InputError
from steps.datasets.interface import Interface
from steps.datasets.rows import CHUNK_ROWS, Raw, check_width
from steps.datasets.sources.arrays import PAIRS
from steps.datasets.sources.damage import refusing_damage


class NpyReader:
    """A `.npy` file (n, n_features) or (n, height, width), memory-mapped; `position` counts rows."""

    key = "row"
    image_sizes: Sequence[tuple[int, int]] = ()
    left_out = ""

    def __init__(self, path: Path, interface: Interface) -> None:
        self._features, self._labels = self._files(path)
        features = _mapped(self._features, path)
        if features.dtype.kind not in "biuf" or features.ndim < 1:
            found = f"{features.dtype} of shape {features.shape}"
            raise InputError(f"input must be an array of rows of numbers, got {found} in {str(path)!r}")
        self.size, *shape = features.shape
        check_width(math.prod(shape), interface, path)
        if self._labels and (n_labels := _mapped(self._labels, path).shape) != (self.size,):
            raise InputError(f"input must have one label per row, got {n_labels} labels, {self.size} rows")
        if self.size == 0:
            raise InputError(f"input must have rows, got {str(path)!r}, which is empty")
        self.columns = [str(i) for i in range(interface.n_features)]

    def __iter__(self) -> Iterator[Raw]:
        for start in range(0, self.size, CHUNK_ROWS):
            end = min(start + CHUNK_ROWS, self.size)
            rows = slice(start, end)
            # Mapped again for each chunk: pages read through a mapping count as memory until it is dropped.
            values = np.load(self._features, mmap_mode="r")[rows].reshape(end - start, -1)  # (n, h, w) -> (n, h * w)
            labels = np.load(self._labels, mmap_mode="r")[rows] if self._labels else None
            yield Raw(range(start + 1, end + 1), values, labels, end)

    def _files(self, path: Path) -> tuple[Path, Path | None]:
        return path, None


class NpzReader(NpyReader):
    """A `.npz` file with `features` as in `NpyReader`, and `labels` (n,), class names or their numbers, or `X` and `y`.

    It is unpacked to a temporary folder because only a plain file can be mapped: constant memory, paid for in disk.
    """

    def _files(self, path: Path) -> tuple[Path, Path | None]:
        folder = tempfile.mkdtemp()
        weakref.finalize(self, shutil.rmtree, folder)
        with refusing_damage("an undamaged .npz file", path), zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
            features, labels = _pair(names, path)
            files = [Path(archive.extract(f"{name}.npy", folder)) for name in (features, labels) if name]
        return files[0], files[1] if labels else None


def _pair(names: Sequence[str], path: Path) -> tuple[str, str]:
    """Names of the features and of their labels; "" if there are none."""
    for features, labels in PAIRS:
        if features in names:
            return features, labels if labels in names else ""
    if len(names) == 1:
        return names[0], ""
    raise InputError(f"input must hold an array 'features' or 'X', got {sorted(names)} in {str(path)!r}")


def _mapped(file: Path, given: Path) -> np.ndarray:
    with refusing_damage("an undamaged array of numbers", given):
        return np.asarray(np.load(file, mmap_mode="r"))
