"""A table in parts of constant size, as readers give it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from steps.datasets.rows import BadRow

PART_ROWS = 16_384


@dataclass(frozen=True)
class Part:
    """Some rows of a table.

    Attributes:
        numbers: Of the rows, counted from 1.
        table: Their cells.
        bad: Rows beside them that are none.
        position: How far into the input this reaches, in the unit of `Parts.size`.
    """

    numbers: Sequence[int]
    table: pa.Table
    position: int
    bad: list[BadRow] = field(default_factory=list)


class Parts(Protocol):
    """A table that has been opened.

    Attributes:
        types: Of the columns, by name.
        size: Total of `Part.position`.
        has_decimal_commas: Whether its numbers are text like 1.234,5.
    """

    types: dict[str, pa.DataType]
    size: int
    has_decimal_commas: bool

    def read(self, columns: list[str]) -> Iterator[Part]:
        """The rows from the first one on, of these columns only.

        Raises:
            SourceError: The input is damaged further on.
        """


def numbered(tables: Iterator[pa.Table]) -> Iterator[Part]:
    """Tables below each other as parts, whose position counts rows."""
    end = 0
    for whole in tables:
        for first in range(0, whole.num_rows, PART_ROWS):
            table = whole.slice(first, PART_ROWS)
            start, end = end, end + table.num_rows
            yield Part(range(start + 1, end + 1), table, end)
