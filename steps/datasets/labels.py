"""Labels of rows in a table of their own, joined to the rows by a key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from steps.base.errors import InputError
from steps.datasets.input_parts import open_parts
from steps.datasets.parts import Parts
from steps.datasets.pixel_columns import LABELS, label_column
from steps.datasets.rows import Chunk, Rows
from steps.datasets.sources.source import SourceError
from steps.datasets.tabular.arrays import text
from steps.datasets.tabular.names import nearest
from steps.datasets.tabular.target import Target
from steps.datasets.tabular.targets import read_target
from steps.datasets.tabular.values import Fault

_WHOLE = re.compile(r"(\d+)\.0*")  # how pandas writes integers of a column with empty cells


class LabelledRows:
    """Rows with the labels of another table as their targets; rows without a label there have none.

    Attributes:
        n_rows, n_labelled: Rows so far, and those of them that have a label.

    Args:
        rows: The rows; their key is looked up in the table of labels.
        given: A table with a column of the key's name, and one of the target's name; for models of images, one that is
            named label, class, target or digit.
        target: The target of the model.

    Raises:
        InputError: The table is missing, unreadable or empty, lacks a column, has no key in a row or one key in two
            rows, or a label is not a value of the target.
    """

    def __init__(self, rows: Rows, given: str, target: Target) -> None:
        self.key, self.key_type, self.size = rows.key, rows.key_type, rows.size
        self.image_sizes, self.left_out = rows.image_sizes, rows.left_out
        self._rows = rows
        try:
            keys, self._targets = _read(open_parts(given, "labels"), given, rows.key, target)
        except SourceError as error:
            raise InputError(f"labels {error}") from error
        self._index = pd.Index(keys, dtype=object)
        self._is_used = np.zeros(len(keys), bool)
        self.n_rows = self.n_labelled = 0

    def __iter__(self) -> Iterator[Chunk]:
        for chunk in self._rows:
            yield replace(chunk, targets=self._of(chunk.keys))

    def _of(self, keys: pa.Array) -> np.ndarray:
        """(n,) targets of the rows with these keys.

        Raises:
            InputError: Two rows have the same key, which has a label.
        """
        words = _words(keys)
        found = self._index.get_indexer(pd.Index(words, dtype=object))
        known = np.flatnonzero(found >= 0)
        counts = np.bincount(found[known], minlength=len(self._index))
        if (twice := np.flatnonzero((counts > 1) | ((counts > 0) & self._is_used))).size:
            raise InputError(
                f"input must have each {self.key} once if labels are given, got {self._index[twice[0]]!r} twice"
            )
        self._is_used |= counts > 0
        self.n_rows, self.n_labelled = self.n_rows + len(words), self.n_labelled + len(known)
        nothing = -1 if np.issubdtype(self._targets.dtype, np.integer) else np.nan
        targets: np.ndarray = np.append(self._targets, self._targets.dtype.type(nothing))[found]
        return targets

    def coverage(self) -> str:
        """A line about rows and labels without a counterpart, after all rows were read; "" if there are none.

        Raises:
            InputError: No row has a label.
        """
        if not self.n_labelled:
            raise InputError(
                f"labels must have the {self.key} of a row of the input, got {self._index[0]!r} and others in "
                f"{len(self._index):,} rows that are not in it"
            )
        unused = len(self._index) - int(self._is_used.sum())
        if self.n_labelled == self.n_rows and not unused:
            return ""
        return f"{self.n_labelled:,} of {self.n_rows:,} rows have a label; {unused:,} labels are of other rows"


def _read(parts: Parts, given: str, key: str, target: Target) -> tuple[list[str], np.ndarray]:
    """Keys (n,), each once, and targets (n,) of the rows that have a label."""
    name = _target_column(parts, given, target)
    if key not in parts.types:
        raise InputError(
            f"labels must have the key of the rows, got {given!r}: no column {key!r}{nearest(key, parts.types)}; "
            "key_column names another key"
        )
    keys: list[str] = []
    targets: list[np.ndarray] = []
    first: dict[str, int] = {}
    for part in parts.read([key, name]):
        if part.bad:
            raise InputError(f"labels must be a table, got {given!r}: row {part.bad[0].key} {part.bad[0].reason}")
        faults: list[Fault] = []
        found = read_target(replace(target, name=name), part.table.column(name), faults)
        if faults:
            raise InputError(f"labels must be targets of the model: row {part.numbers[faults[0].row]} of {name!r} "
                             f"{faults[0].reason}")  # fmt: skip
        words = _words(part.table.column(key))
        for number, word in zip(part.numbers, words, strict=True):
            if not word:
                raise InputError(f"labels must have a {key} in every row, got none in row {number} of {given!r}")
            if (before := first.setdefault(word, number)) != number:
                raise InputError(f"labels must have each {key} once, got {word!r} in rows {before} and {number}")
        present = found >= 0 if np.issubdtype(found.dtype, np.integer) else ~np.isnan(found)
        keys += [word for word, is_present in zip(words, present.tolist(), strict=True) if is_present]
        targets.append(found[present])
    if not keys:
        raise InputError(f"labels must have values of {name!r}, got none in {given!r}")
    return keys, np.concatenate(targets)


def _target_column(parts: Parts, given: str, target: Target) -> str:
    if target.name:
        if target.name not in parts.types:
            raise InputError(
                f"labels must have the target, got {given!r}: no column {target.name!r}"
                f"{nearest(target.name, parts.types)}"
            )
        return target.name
    names = list(parts.types)
    if (position := label_column(names)) is None:
        raise InputError(f"labels must have a column {' or '.join(LABELS)}, got {', '.join(names)} in {given!r}")
    return names[position]


def _words(keys: pa.Array | pa.ChunkedArray) -> Sequence[str]:
    """Keys as text, the same whatever type holds them; "" for a missing one."""
    words = [(text(value) or "").strip() for value in keys.to_pylist()]
    return [match[1] if (match := _WHOLE.fullmatch(word)) else word for word in words]
