"""Suspects of target leakage by order and time: identifiers that order the target, dates after the row's own time."""

from __future__ import annotations

import numpy as np

from .arrays import Cells, as_array
from .dates import seconds
from .leaks import bins, explained
from .schema import Column
from .target import Target
from .values import numbers_of, read_dates

_BY_ORDER, _BY_DELAY = 0.85, 0.1  # shares of the target from which a column is suspected
_MOSTLY = 0.5  # share of the rows that must have a number of their own, or a date after the row's time
_ALWAYS = 0.99  # share of the dates that must not be before the row's time
_LEAST = 20  # dates


def order_suspect(name: str, cells: Cells, target: Target, values: np.ndarray) -> str:
    """A clause on a left-out identifier whose order gives the target away; else empty.

    Args:
        values: (n,) targets, as in `Labels`.
    """
    numbers, is_wrong = numbers_of(as_array(cells, name))
    if is_wrong.any() or len(np.unique(numbers[~np.isnan(numbers)])) < _MOSTLY * len(numbers):
        return ""
    share = explained(bins(numbers), numbers, target, values)
    if share < _BY_ORDER:
        return ""
    return (
        f"column {name!r}, which is left out, explains {share:.1%} of the target: the order of the rows tells it, and "
        f"so would other columns in that order"
    )


def time_suspect(column: Column, cells: Cells, time: Column, times: Cells, target: Target, values: np.ndarray) -> str:
    """A clause on a column of dates that are known only after the time of their rows, and tell the target; else empty.

    The dates are never before that time and mostly later, and the target is explained by their delay or by their being
    empty.

    Args:
        time, times: The column that orders the rows in time.
        values: (n,) targets, as in `Labels`.
    """
    delays = seconds(read_dates(column, cells, [])) - seconds(read_dates(time, times, []))
    present = delays[~np.isnan(delays)]
    if len(present) < _LEAST or (present >= 0).mean() < _ALWAYS or (present > 0).mean() < _MOSTLY:
        return ""
    share = explained(bins(delays), delays, target, values)
    if share < _BY_DELAY:
        return ""
    return (
        f"column {column.name!r} is never before {time.name!r}, and its delay or being empty explains {share:.1%} of "
        f"the target"
    )
