"""Reader in parts of NumPy files that hold tables."""

from __future__ import annotations

import shutil
import tempfile
import weakref
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from steps.datasets.parts import PART_ROWS, Part, numbered
from steps.datasets.sources.arrays import NAMES, map_array, of_arrays
from steps.datasets.sources.damage import refusing_damage
from steps.datasets.sources.source import Images, SourceError


class ArrayParts:
    """A `.npy` or `.npz` file with the same layouts as in `sources`.

    An archive is unpacked to a temporary folder because only a plain file can be mapped: constant memory, paid for in
    disk.
    """

    has_decimal_commas = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = {"": path} if path.suffix.lower() == ".npy" else self._unpacked()
        lengths = {array.shape[:1] for name, array in self._arrays().items() if name not in NAMES}
        self.size = sum(length for shape in lengths for length in shape)
        if len(lengths) > 1:
            raise SourceError(f"must hold rows of one split, got arrays of several lengths in {str(path)!r}")
        self.types = {field.name: field.type for field in self._table(0, PART_ROWS).schema} if self.size else {}

    def read(self, columns: list[str]) -> Iterator[Part]:
        starts = range(0, self.size, PART_ROWS)
        return numbered(self._table(start, start + PART_ROWS).select(columns) for start in starts)

    def _table(self, start: int, stop: int) -> pa.Table:
        # Mapped again for each part: pages read through a mapping count as memory until it is dropped.
        mapped = self._arrays()
        found = of_arrays({n: array if n in NAMES else array[start:stop] for n, array in mapped.items()}, self._path)
        if isinstance(found, Images):
            raise SourceError(f"must be a table for this model, got images in {str(self._path)!r}")
        return found.table

    def _arrays(self) -> dict[str, np.ndarray]:
        return {name: map_array(file, self._path) for name, file in self._files.items()}

    def _unpacked(self) -> dict[str, Path]:
        folder = tempfile.mkdtemp()
        weakref.finalize(self, shutil.rmtree, folder)
        with refusing_damage("an undamaged .npz file", self._path), zipfile.ZipFile(self._path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name.removesuffix(".npy"): Path(archive.extract(name, folder)) for name in names}
