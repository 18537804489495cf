"""Rows that were predicted before: the output of predict, read back to be scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from steps.base.errors import InputError
from steps.datasets.input_named import plain_type
from steps.datasets.input_parts import open_parts
from steps.datasets.interface import Interface
from steps.datasets.outputs import FORMATS
from steps.datasets.parts import Part
from steps.datasets.rows import Chunk
from steps.datasets.sources.source import SourceError
from steps.datasets.tabular.names import nearest
from steps.datasets.tabular.predictions import names
from steps.datasets.tabular.schema import Column
from steps.datasets.tabular.target import Target
from steps.datasets.tabular.values import Fault, read_numbers

_KEYS = ("row", "file")  # of an output of predict without key_column


class ScoredRows:
    """Rows of an output of predict; `Chunk.given` are the outputs (n, n_outputs) float32 of the model.

    Raises:
        InputError: The file is unreadable or empty, or has no column with this key.
    """

    image_sizes: Sequence[tuple[int, int]] = ()
    left_out = ""

    def __init__(self, given: str, interface: Interface, key_column: str) -> None:
        try:
            self._parts = open_parts(given)
        except SourceError as error:
            raise InputError(f"input {error}") from error
        types = self._parts.types
        self.key = key_column or next((key for key in _KEYS if key in types), _KEYS[0])
        if self.key not in types:
            raise InputError(
                f"key_column must be the column of {given!r} that identifies its rows, got {key_column!r}"
                f"{nearest(self.key, types)}"
            )
        self.key_type, self.size = plain_type(types[self.key]), self._parts.size
        self._names = _outputs(interface.target)

    def __iter__(self) -> Iterator[Chunk]:
        try:
            yield from map(self._chunk, self._parts.read([self.key, *self._names]))
        except SourceError as error:
            raise InputError(f"input {error}") from error

    def _chunk(self, part: Part) -> Chunk:
        faults: list[Fault] = []
        outputs = np.empty((part.table.num_rows, len(self._names)), np.float32)
        for i, name in enumerate(self._names):
            outputs[:, i] = read_numbers(Column(name, "number"), part.table.column(name), faults)
            empty: list[int] = np.flatnonzero(np.isnan(outputs[:, i])).tolist()
            faults += [Fault(name, row, "must be a number, got none") for row in empty]
        keys = part.table.column(self.key).combine_chunks().cast(self.key_type)
        return Chunk(part.numbers, keys, outputs, None, part.bad, part.position).without(faults)[0]


def is_scored(given: str, interface: Interface) -> bool:
    """Return whether a file has the columns that predict writes, and not all of those that the model takes."""
    path = Path(given)
    if not path.is_file() or path.suffix.lower() not in FORMATS:
        return False
    try:
        found = set(open_parts(given).types)
    except SourceError as error:
        raise InputError(f"input {error}") from error
    taken = interface.columns.schema.names if interface.columns else ()
    return found.issuperset(_outputs(interface.target)) and not (taken and found.issuperset(taken))


def _outputs(target: Target) -> tuple[str, ...]:
    """Columns of an output of predict that hold the outputs of the model."""
    return names(target)[bool(target.class_names) :]
