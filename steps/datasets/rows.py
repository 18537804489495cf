"""Rows on their way from a file to a model: raw rows from readers, and chunks for models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from steps.base.errors import InputError
from steps.datasets.interface import Interface
from steps.datasets.pixel_columns import LABELS
from steps.datasets.tabular.values import Fault

CHUNK_ROWS = 4096

Key = int | str  # row number, from 1, or name of an image file


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be predicted, and why."""

    key: Key
    reason: str


@dataclass
class Raw:
    """Rows of numbers as read from a file.

    Attributes:
        keys: One per row of `values`.
        values: (n, n_features), any real dtype.
        labels: (n,) names or numbers of classes, an Arrow or NumPy array; None if the input has none.
        position: Position in the input after these rows, in the unit of `Reader.size`.
        bad: Rows that the reader could not turn into numbers.
    """

    keys: Sequence[Key]
    values: np.ndarray
    labels: Any
    position: int
    bad: list[BadRow] = field(default_factory=list)


class Reader(Protocol):
    """An open input of rows of numbers with checked columns.

    Attributes:
        key: Name of the key column in the output.
        size: Total of `Raw.position`, for a progress bar.
        columns: Names of the features.
        image_sizes: (height, width) of the first images in their files; empty for inputs of another kind.
        left_out: A line about files of a folder that are not read; "" if there are none.
    """

    key: str
    size: int
    columns: list[str]
    image_sizes: Sequence[tuple[int, int]]
    left_out: str

    def __iter__(self) -> Iterator[Raw]: ...


@dataclass(frozen=True)
class Chunk:
    """Rows in the form that a model takes.

    Attributes:
        names: Names of the rows in messages.
        keys: (n,) values of the key column in the output.
        given: Input of the model: features (n, n_features) in its dtype, or a table of raw cells.
        targets: (n,) as in `Split`, −1 or NaN for a row without a target; None if the input has no targets.
        bad: Omitted rows.
        position: Position in the input after this chunk, in the unit of `Rows.size`.
    """

    names: Sequence[Key]
    keys: pa.Array
    given: Any
    targets: np.ndarray | None
    bad: list[BadRow]
    position: int

    def without(self, faults: Sequence[Fault]) -> tuple[Chunk, np.ndarray]:
        """The chunk with the rows of these faults moved to `bad`, and a mask (n,) bool of the rows kept."""
        first: dict[int, Fault] = {}
        for fault in faults:
            first.setdefault(fault.row, fault)
        kept = np.ones(len(self.names), bool)
        if not first:
            return self, kept
        kept[list(first)] = False
        bad = [BadRow(self.names[row], f"column {fault.column!r} {fault.reason}") for row, fault in first.items()]
        rest = np.flatnonzero(kept)
        chunk = Chunk(
            [self.names[row] for row in rest.tolist()],
            self.keys.take(pa.array(rest)),
            self.given.take(pa.array(rest)) if isinstance(self.given, pa.Table) else self.given[rest],
            None if self.targets is None else self.targets[rest],
            sorted([*self.bad, *bad], key=lambda row: row.key),
            self.position,
        )
        return chunk, kept


class Rows(Protocol):
    """An open input with the columns of a model.

    Attributes:
        key: Name of the key column in the output.
        key_type: Type of that column.
        size: Total of `Chunk.position`, for a progress bar.
        image_sizes, left_out: As in `Reader`.
    """

    key: str
    key_type: pa.DataType
    size: int
    image_sizes: Sequence[tuple[int, int]]
    left_out: str

    def __iter__(self) -> Iterator[Chunk]: ...


def check_width(found: int, interface: Interface, given: object) -> None:
    """Raise `InputError` if the number of columns is not the model's."""
    if found != interface.n_features:
        raise InputError(
            f"input must have {interface.n_features} columns of features, got {found} in {str(given)!r}; "
            f"a column of classes is named {' or '.join(LABELS)}"
        )
