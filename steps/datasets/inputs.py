"""Rows to predict, from files, in chunks of constant size: memory does not grow with the length of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from reprlib import repr as shortened

import numpy as np
import pyarrow as pa

from steps.base.errors import InputError
from steps.datasets.input_arrays import NpyReader, NpzReader
from steps.datasets.input_images import ImageReader, is_images
from steps.datasets.input_named import open_table
from steps.datasets.input_tables import CsvReader, ParquetReader
from steps.datasets.interface import Interface
from steps.datasets.rows import BadRow, Chunk, Reader, Rows
from steps.datasets.sources.source import SourceError


def open_input(given: str, interface: Interface, *, invert: bool = False, key_column: str = "") -> Rows:
    """Open a table, an array, or a folder or glob of images.

    Args:
        interface: Interface of the model.
        invert: Images only: invert brightness, for example if the model was trained on light digits on a dark
            background and the images show dark writing on paper.
        key_column: Tables only: column that identifies the rows in the output; empty for row numbers.

    Raises:
        InputError: The input is missing, unreadable or empty, or its columns are not those of the model.
    """
    if not given:
        raise InputError("input must be a file, a folder of images or a glob, got ''")
    if interface.columns:
        if invert:
            raise InputError("invert must be false for a model that takes no images, got true")
        return open_table(given, interface.columns, key_column)
    if key_column:
        raise InputError(f"key_column must be empty for a model of images, got {key_column!r}")
    try:
        return Pixels(_reader(given, interface, invert=invert), interface)
    except SourceError as error:
        raise InputError(f"input {error}") from error


def _reader(given: str, interface: Interface, *, invert: bool) -> Reader:
    if is_images(given):
        return ImageReader(given, interface, invert=invert)
    if invert:
        raise InputError(f"invert must be false for an input that is not images, got true for {given!r}")
    readers: dict[str, Callable[[Path, Interface], Reader]] = {
        ".csv": CsvReader, ".parquet": ParquetReader, ".npy": NpyReader, ".npz": NpzReader,
    }  # fmt: skip
    path = Path(given)
    if path.suffix.lower() not in readers:
        raise InputError(f"input must be a {', '.join(readers)} file, a folder of images or a glob, got {given!r}")
    if not path.is_file():
        raise InputError(f"input must be a file that exists, got {given!r}")
    return readers[path.suffix.lower()](path, interface)


class Pixels:
    """Rows of numbers for a model of arrays; columns are matched by position.

    A model of integers (images as uint8) takes integers from 0 to `feature_max`; a model of real numbers takes all
    finite ones.
    """

    def __init__(self, reader: Reader, interface: Interface) -> None:
        self.key, self.size, self.image_sizes = reader.key, reader.size, reader.image_sizes
        self.key_type = pa.int64() if reader.key == "row" else pa.string()
        self._reader, self._interface = reader, interface

    def __iter__(self) -> Iterator[Chunk]:
        try:
            yield from self._chunks()
        except SourceError as error:
            raise InputError(f"input {error}") from error

    def _chunks(self) -> Iterator[Chunk]:
        interface = self._interface
        classes = {name: i for i, name in enumerate(interface.target.class_names)}
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
                known = np.array([classes.get(label, -1) for label in raw.labels], np.int64)
                for i in np.flatnonzero(good & (known < 0)).tolist():
                    reason = f"label must be a class of the model, got {shortened(raw.labels[i])}"
                    bad.append(BadRow(raw.keys[i], reason))
                good &= known >= 0
                targets = known[good]
            names = [raw.keys[i] for i in np.flatnonzero(good).tolist()]
            keys = pa.array(names, self.key_type)
            yield Chunk(names, keys, raw.values[good].astype(interface.dtype), targets, bad, raw.position)
