"""Rows to predict, from files, in chunks of constant size: memory does not grow with the length of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from steps.base.errors import InputError
from steps.datasets.input_arrays import NpyReader, NpzReader
from steps.datasets.input_images import ImageReader, is_images
from steps.datasets.input_named import open_table
from steps.datasets.input_tables import TableReader
from steps.datasets.interface import Interface
from steps.datasets.rows import BadRow, Chunk, Reader, Rows
from steps.datasets.sources.columnar import parquet_files
from steps.datasets.sources.source import SourceError
from steps.datasets.tabular.targets import read_target
from steps.datasets.tabular.values import Fault

_ARRAYS: dict[str, Callable[[Path, Interface], Reader]] = {".npy": NpyReader, ".npz": NpzReader}


def open_input(
    given: str, interface: Interface, *, invert: bool = False, key_column: str = "", with_targets: bool = True
) -> Rows:
    """Open a table, an array, or a folder or glob of images.

    Args:
        interface: Interface of the model.
        invert: Images only: invert brightness, for example if the model was trained on light digits on a dark
            background and the images show dark writing on paper.
        key_column: Tables only: column that identifies the rows in the output; empty for row numbers.
        with_targets: Tables only: whether the target column is read if it is there.

    Raises:
        InputError: The input is missing, unreadable or empty, or its columns are not those of the model.
    """
    if not given:
        raise InputError("input must be a file, a folder of images or a glob, got ''")
    if interface.columns:
        if invert:
            raise InputError("invert must be false for a model that takes no images, got true")
        return open_table(given, interface.columns, key_column, with_targets=with_targets)
    if key_column:
        raise InputError(f"key_column must be empty for a model of images, got {key_column!r}")
    try:
        return Pixels(_reader(given, interface, invert=invert), interface)
    except SourceError as error:
        raise InputError(f"input {error}") from error


def _reader(given: str, interface: Interface, *, invert: bool) -> Reader:
    path = Path(given)
    if is_images(given) and not (path.is_dir() and parquet_files(path)):
        return ImageReader(given, interface, invert=invert)
    if invert:
        raise InputError(f"invert must be false for an input that is not images, got true for {given!r}")
    if path.is_file() and (reader := _ARRAYS.get(path.suffix.lower())):
        return reader(path, interface)
    return TableReader(given, interface)


class Pixels:
    """Rows of numbers for a model of arrays; columns are matched by position.

    A model of integers (images as uint8) takes integers from 0 to `feature_max`; a model of real numbers takes all
    finite ones.
    """

    def __init__(self, reader: Reader, interface: Interface) -> None:
        self.key, self.size = reader.key, reader.size
        self.image_sizes, self.left_out = reader.image_sizes, reader.left_out
        self.key_type = pa.int64() if reader.key == "row" else pa.string()
        self._reader, self._interface = reader, interface

    def __iter__(self) -> Iterator[Chunk]:
        try:
            yield from self._chunks()
        except SourceError as error:
            raise InputError(f"input {error}") from error

    def _chunks(self) -> Iterator[Chunk]:
        interface = self._interface
        for raw in self._reader:
            wrong = ~np.isfinite(raw.values)
            rule = "a finite number"
            if np.issubdtype(interface.dtype, np.integer):
                rule = f"a whole number from 0 to {interface.feature_max:g}"
                with np.errstate(invalid="ignore"):
                    wrong |= (raw.values < 0) | (raw.values > interface.feature_max) | (raw.values % 1 != 0)
            bad = list(raw.bad)
            good = ~wrong.any(1)
            for i in np.flatnonzero(~good).tolist():
                column = int(wrong[i].argmax())
                value = f"{raw.values[i, column]:g}"
                bad.append(BadRow(raw.keys[i], f"column {self._reader.columns[column]!r} must be {rule}, got {value}"))
            targets = None
            if raw.labels is not None:
                faults: list[Fault] = []
                classes = read_target(interface.target, raw.labels, faults)
                bad += [BadRow(raw.keys[f.row], f"label {f.reason}") for f in faults if good[f.row]]
                good[[fault.row for fault in faults]] = False
                targets = classes[good]
            names = [raw.keys[i] for i in np.flatnonzero(good).tolist()]
            keys = pa.array(names, self.key_type)
            yield Chunk(names, keys, raw.values[good].astype(interface.dtype), targets, bad, raw.position)
