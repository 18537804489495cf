"""Tables in parts of constant size, as yielded by readers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from steps.datasets.rows import BadRow

PART_ROWS = 16_384


@dataclass(frozen=True)
class Part:
    """Consecutive rows of a table.

    Attributes:
        numbers: Numbers of the rows, from 1.
        table: Cells of the rows.
        bad: Rows that cannot be read; they are not in `table`.
        position: Position in the input after this part, in the unit of `Parts.size`.
    """

    numbers: Sequence[int]
    table: pa.Table
    position: int
    bad: list[BadRow] = field(default_factory=list)


class Parts(Protocol):
    """An open table.

    Attributes:
        types: Types of the columns, by name.
        size: Total of `Part.position`.
        has_decimal_commas: Whether numbers are text such as 1.234,5.
    """

    types: dict[str, pa.DataType]
    size: int
    has_decimal_commas: bool

    def read(self, columns: list[str]) -> Iterator[Part]:
        """All rows from the first one, with these columns only.

        Raises:
            SourceError: The input is damaged further on.
        """


def numbered(tables: Iterator[pa.Table]) -> Iterator[Part]:
    """Parts of concatenated tables; `position` counts rows."""
    end = 0
    for whole in tables:
        for first in range(0, whole.num_rows, PART_ROWS):
            table = whole.slice(first, PART_ROWS)
            start, end = end, end + table.num_rows
            yield Part(range(start + 1, end + 1), table, end)
