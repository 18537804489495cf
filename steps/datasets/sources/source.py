"""The two kinds of data that a source can hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa


class SourceError(ValueError):
    """Unusable data; the message continues the name of the parameter: "must have rows, got …"."""


@dataclass(frozen=True)
class Table:
    """A reader's result for files that hold a table; see `TableSource` for the attributes."""

    table: pa.Table
    target: str = ""
    split: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Images:
    """A reader's result for files that hold images; see `ImageSource` for the attributes."""

    images: np.ndarray
    labels: tuple[str, ...]
    splits: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableSource:
    """A table, uninterpreted.

    Attributes:
        table: At least one row, columns with different names. Missing cells are null however the file spells them;
            text has type string and no surrounding spaces.
        name: Word for the default name of a model.
        source: Origin of the table, for people.
        sha256: SHA-256 of the bytes of the file, or of several files with their names.
        target: Column that the source itself declares as its target; "" if it declares none.
        split: Column with the name of each row's split if the source is split; else "".
        notes: Remarks made while reading, a sentence each.
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
    """Images of one size with one class each.

    Attributes:
        images: (n, height, width), or (n, height, width, 3) for colour; uint8, in [0, 255].
        labels: Name of the class of each image.
        splits: Split of each image (train, validation or test); None if the source is not split.
        name: Word for the default name of a model.
        source: Origin of the images, for people.
        sha256: SHA-256 of the bytes of the file, or of several files with their names.
        brightest: Largest value that a pixel can have.
        notes: Changes made to the images and files left out, a sentence each.
    """

    images: np.ndarray
    labels: tuple[str, ...]
    splits: tuple[str, ...] | None
    name: str
    source: str
    sha256: str
    notes: tuple[str, ...] = ()
    brightest: int = 255
