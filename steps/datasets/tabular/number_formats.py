"""Formats of text columns that hold numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from .values import CONTINENTAL, ENGLISH, bare, parse_number

_CODE = re.compile(r"[+-]?0\d+")  # a leading zero is part of a code
_CERTAIN = {
    ENGLISH: re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d*|[+-]?\d{1,3}(,\d{3}){2,}"),
    CONTINENTAL: re.compile(r"[+-]?[\d.]*\d,(\d{1,2}|\d{4,})|[+-]?\d{1,3}(\.\d{3})+,\d*|[+-]?\d{1,3}(\.\d{3}){2,}"),
}


def find_number_format(counts: Mapping[str, int], share: float) -> str | None:
    """`Column.format` in which at least a given share of the cells are numbers; None if there is none.

    Thousands separators and decimal commas count only if a cell cannot be read in any other way.

    Args:
        counts: Number of rows per word.
    """
    if any(map(_CODE.fullmatch, counts)):
        return None
    rows = np.array([*counts.values()])
    numbers = [*map(bare, counts)]
    for written in ("", ENGLISH, CONTINENTAL):
        if written and not any(map(_CERTAIN[written].fullmatch, numbers)):
            continue
        good = ~np.isnan([parse_number(word, written) for word in counts])
        if rows[good].sum() >= share * rows.sum():
            return written
    return None
