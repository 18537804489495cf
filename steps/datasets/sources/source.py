"""The two kinds of data that a source can hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa


class SourceError(ValueError):
    """Data that cannot be used; the message follows the name of the parameter: "must have rows, got …"."""


@dataclass(frozen=True)
class Table:
    """What a reader finds in files that hold a table; `TableSource` says what the attributes mean."""

    table: pa.Table
    target: str = ""
    split: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Images:
    """What a reader finds in files that hold images; `ImageSource` says what the attributes mean."""

    images: np.ndarray
    labels: tuple[str, ...]
    splits: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableSource:
    """A table as it was given.

    Attributes:
        table: Columns of different names, at least one row. Missing cells are null, in whatever way they were spelled;
            text has type string and no spaces around it.
        name: Word for the default name of a model.
        source: Where the table comes from, for people.
        sha256: Of the bytes of the file, or of the files with their names.
        target: Column that the source itself states as its target; "" if it states none.
        split: Column that holds the name of each row's split, if the source comes split; else "".
        notes: What was noticed while reading, a sentence each.
    """

    table: pa.Table
    name: str
    source: str
    sha256: str
    target: str = ""
    split: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageSource:
    """Images of one size, with a class each.

    Attributes:
        images: (n, height, width), or (n, height, width, 3) for colour; uint8, in [0, 255].
        labels: Name of the class of each image.
        splits: Name of the split of each image (train, validation or test); None if the source is not split.
        name: Word for the default name of a model.
        source: Where the images come from, for people.
        sha256: Of the bytes of the file, or of the files with their names.
        brightest: Largest value that a pixel can have.
        notes: What was done to the images, and what was left out, a sentence each.
    """

    images: np.ndarray
    labels: tuple[str, ...]
    splits: tuple[str, ...] | None
    name: str
    source: str
    sha256: str
    notes: tuple[str, ...] = ()
    brightest: int = 255
