"""Columns that cannot be used, entirely or without a correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .errors import SchemaError
from .values import Fault


class NotUsed(Exception):
    """A column is left out; the message is the reason."""


class WrongCells(SchemaError):
    """A few cells of a column do not fit the others."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        more = f", and {len(faults) - 1:,} more such cells" if len(faults) > 1 else ""
        super().__init__(
            f"{faults[0]}{more}; correct the table, or name the column in ignore_columns or categorical_columns"
        )
        self._faults = faults

    def moved(self, rows: np.ndarray) -> WrongCells:
        """The same error with the positions that the rows have in another table."""
        return WrongCells([replace(fault, row=int(rows[fault.row])) for fault in self._faults])


def refuse(faults: list[Fault]) -> None:
    """Refuse a column in which some cells do not fit the others."""
    if faults:
        raise WrongCells(faults)
