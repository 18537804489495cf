"""Formats of text columns that hold dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .dates import parse_exactly

_SAMPLE = 200  # words tried before all others
_GLANCE = 10  # words that already rule out most formats
_DAYS = ("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y",
         "%B %d, %Y", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%d-%b-%y", "%b %d %Y")  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_COMPACT = "%Y%m%d"
_LOOK = re.compile(r"\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?(\D.*)?|\d{1,2}[- ][^\W\d_]{3,9}[- ]\d{2,4}.*|"
                   r"[^\W\d_]{3,9} \d{1,2},? \d{4}.*")  # fmt: skip


@dataclass(frozen=True)
class DateFormat:
    """Format of dates.

    Attributes:
        format: `Column.format`.
        is_ambiguous: Whether all of them are still dates if day and month are exchanged.
    """

    format: str
    is_ambiguous: bool = False


def find_date_format(words: Sequence[str], share: float, *, is_stated: bool = False) -> DateFormat | None:
    """The format that at least a given share of the words have; None if there is none.

    Args:
        words: Different ones.
        is_stated: Whether the user declared the column as dates; eight digits then count, too.
    """
    sample = [*words[:: max(1, len(words) // _SAMPLE)]]
    if not is_stated and np.mean([_LOOK.fullmatch(word) is not None for word in sample]) < share:
        return None
    tried = ["", *(day + time for time in _TIMES for day in _DAYS), *([_COMPACT] if is_stated else [])]
    tried = [written for written in tried if _share(sample[:_GLANCE], written) >= 0.5]
    found = [written for written in tried if _share(sample, written) >= share]
    found = [written for written in found[:4] if _share(words, written) >= share]
    if not found:
        return None
    best = max(found, key=lambda written: _share(words, written))
    other = _exchanged(best)
    if other not in found or _share(words, other) < _share(words, best):
        return DateFormat(best)
    if _days(words, best) == {1} or _days(words, other) == {1}:  # the first of each month
        return DateFormat(best if _days(words, best) == {1} else other)
    return DateFormat(best, is_ambiguous=True)


def _share(words: Sequence[str], written: str) -> float:
    return float(np.mean(~np.isnat(parse_exactly(words, written or "ISO8601"))))


def _exchanged(written: str) -> str:
    return written.replace("%d", "%-").replace("%m", "%d").replace("%-", "%m")


def _days(words: Sequence[str], written: str) -> set[int]:
    dates = parse_exactly(words, written or "ISO8601")
    dates = dates[~np.isnat(dates)]
    return set(((dates.astype("M8[D]") - dates.astype("M8[M]").astype("M8[D]")).astype(int) + 1).tolist())
