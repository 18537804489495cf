"""Rows to be predicted, from files, in chunks of constant size: a file of any length needs the memory of one chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shortened

import numpy as np

from steps.base.errors import InputError
from steps.datasets.input_arrays import NpyReader, NpzReader
from steps.datasets.input_images import ImageReader, is_images
from steps.datasets.input_tables import CsvReader, ParquetReader
from steps.datasets.interface import Interface
from steps.datasets.rows import BadRow, Key, Reader


@dataclass(frozen=True)
class Chunk:
    """Rows that a model can take.

    Attributes:
        features: (n, n_features) in the dtype of the model's input.
        labels: (n,) class indices, if the input has labels.
    """

    keys: list[Key]
    features: np.ndarray
    labels: np.ndarray | None
    bad: list[BadRow]
    position: int


def open_input(given: str, interface: Interface, *, invert: bool) -> Reader:
    """A reader by what the path names: .csv, .parquet, .npy, .npz, a folder of images, or a glob of images.

    Args:
        interface: What the model takes.
        invert: Images only: make dark light, for dark writing on paper for a model of light on dark.

    Raises:
        InputError: Missing, unreadable, empty, or of other columns than the model takes.
    """
    if not given:
        raise InputError("input must be a file, a folder of images or a glob, got ''")
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


def chunks(reader: Reader, interface: Interface) -> Iterator[Chunk]:
    """The rows of a reader that the model can take, and those that it cannot.

    A model of whole numbers (images as uint8) takes whole numbers from 0 to `feature_max`, a model of real
    numbers takes every finite one.
    """
    classes = {name: i for i, name in enumerate(interface.target.class_names)}
    for raw in reader:
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
            bad.append(BadRow(raw.keys[i], f"column {reader.columns[column]!r} must be {rule}, got {value}"))
        labels = None
        if raw.labels is not None:
            known = np.array([classes.get(label, -1) for label in raw.labels], np.int64)
            for i in np.flatnonzero(good & (known < 0)).tolist():
                bad.append(BadRow(raw.keys[i], f"label must be a class of the model, got {shortened(raw.labels[i])}"))
            good &= known >= 0
            labels = known[good]
        keys = [raw.keys[i] for i in np.flatnonzero(good).tolist()]
        yield Chunk(keys, raw.values[good].astype(interface.dtype), labels, bad, raw.position)
