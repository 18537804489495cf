"""Rows on their way from a file to a model, and the reader that gives them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from steps.base.errors import InputError
from steps.datasets.interface import Interface

CHUNK_ROWS = 4096
LABEL = "label"

Key = int | str  # number of a row, from 1, or the name of an image file


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be predicted, and why."""

    key: Key
    reason: str


@dataclass
class Raw:
    """Rows as a reader found them.

    Attributes:
        keys: One per row of `values`.
        values: (n, n_features), any real dtype.
        labels: Class name of each row, if the input has labels.
        position: How far into the input this reaches, in the unit of `Reader.size`.
        bad: Rows that the reader could not turn into numbers.
    """

    keys: Sequence[Key]
    values: np.ndarray
    labels: Sequence[str] | None
    position: int
    bad: list[BadRow] = field(default_factory=list)


class Reader(Protocol):
    """An input that has been opened and whose columns have been checked.

    Attributes:
        key: Name of the column of keys in the output.
        size: Total of `Raw.position`, for a progress bar.
        columns: Names of the features.
    """

    key: str
    size: int
    columns: list[str]

    def __iter__(self) -> Iterator[Raw]: ...


def check_width(found: int, interface: Interface, given: object) -> None:
    """Refuse another number of columns than the model takes, with `InputError`."""
    if found != interface.n_features:
        raise InputError(
            f"input must have {interface.n_features} columns of features, got {found} in {str(given)!r}; "
            f"a column of labels is named {LABEL}"
        )
