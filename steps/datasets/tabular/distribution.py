"""Distribution of a column: a histogram of numbers and dates, or the most frequent levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Cells
from .dates import seconds
from .schema import Column
from .values import read_booleans, read_dates, read_numbers
from .words import Levels, words

UNSEEN = -1.0  # number of a word that is none of the levels
_BINS = 32  # the most bins of a histogram
_LISTED = 6  # the most frequent levels
_TAILS = (0.01, 0.99)  # quantiles between which a histogram with long tails is drawn
_LONG = 3.0  # range of all values, as a multiple of that between those quantiles
_FEW = 1_000  # different values that may have a common step


@dataclass(frozen=True)
class Distribution:
    """Values of a column in some rows.

    Attributes:
        n_rows: Number of rows.
        n_missing: Number of rows without a value.
        n_distinct: Number of different values.
        low, high: Smallest and largest number, or earliest and latest date in seconds since 1970 UTC; None for other
            kinds, and without values.
        median: Likewise.
        ends: Smallest and largest value in the range of the histogram; further ones are in the first and last bins.
        edges: Ascending ends of the bins of a histogram of equal widths; empty for other kinds, and without values.
        counts: Rows of each bin, the first and last ones with all rows beyond; or rows of each of `levels`.
        levels: The most frequent levels, the most frequent one first.
    """

    n_rows: int
    n_missing: int
    n_distinct: int
    low: float | None = None
    high: float | None = None
    median: float | None = None
    ends: tuple[float, float] | None = None
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    levels: tuple[str, ...] = ()


def as_numbers(column: Column, cells: Cells) -> np.ndarray:
    """(n,) float64 for any kind: numbers, seconds since 1970, 0 and 1, or positions of levels; NaN if missing.

    A word that is none of the levels is `UNSEEN`; a cell that is not a value of its column is missing.
    """
    if column.kind == "number":
        return read_numbers(column, cells, [])
    if column.kind == "date":
        return seconds(read_dates(column, cells, []))
    if column.kind == "boolean":
        return read_booleans(cells)
    levels = Levels(column.levels)
    positions, found = words(cells)
    of_words = [np.nan if word is None else float(levels.index(word)) for word in found]
    numbers: np.ndarray = np.array([*of_words, np.nan])[positions]
    return numbers


def distribution_of(column: Column, values: np.ndarray) -> Distribution:
    """The distribution of a column.

    Args:
        values: (n,) numbers from `as_numbers`.
    """
    present = values[~np.isnan(values)]
    n_missing = len(values) - len(present)
    if not len(present):
        return Distribution(len(values), n_missing, 0)
    if column.kind in ("number", "date"):
        ordered = np.sort(present)
        distinct = ordered[np.append(True, ordered[1:] > ordered[:-1])]
        ends = _ends(ordered)
        edges = _edges(ends, distinct)
        inner = np.searchsorted(ordered, edges[1:-1])
        counts = np.diff(inner, prepend=0, append=len(ordered))
        return Distribution(
            len(values), n_missing, len(distinct), float(ordered[0]), float(ordered[-1]),
            float(ordered[[(len(ordered) - 1) // 2, len(ordered) // 2]].mean()), ends, tuple(edges.tolist()),
            tuple(counts.tolist()),
        )  # fmt: skip
    counts = np.bincount(present[present >= 0].astype(np.int64), minlength=len(column.levels))
    order = np.argsort(-counts, kind="stable")[: min(_LISTED, int((counts > 0).sum()))]
    levels = tuple(column.levels[i] for i in order)
    return Distribution(
        len(values), n_missing, int((counts > 0).sum()), counts=tuple(counts[order].tolist()), levels=levels
    )


def _ends(ordered: np.ndarray) -> tuple[float, float]:
    """The range of ascending values, without long tails."""
    last = len(ordered) - 1
    low, inner_low, inner_high, high = (float(ordered[round(share * last)]) for share in (0.0, *_TAILS, 1.0))
    return (inner_low, inner_high) if high - low > _LONG * (inner_high - inner_low) > 0 else (low, high)


def _edges(ends: tuple[float, float], distinct: np.ndarray) -> np.ndarray:
    """Ends of bins; all hold equally many values of a grid, such as whole numbers: else some would be emptier."""
    low, high = ends
    if low == high:
        return np.array([low - 0.5, low + 0.5])
    steps = np.diff(distinct[(distinct >= low) & (distinct <= high)])
    if 0 < len(steps) < _FEW and _is_grid(steps):
        step = steps.min()
        n_values = round((high - low) / step) + 1
        width = -(-n_values // _BINS)  # in steps, rounded up
        n_bins = -(-n_values // width)
        edges: np.ndarray = low - step / 2 + step * width * np.arange(n_bins + 1)
        return edges
    return np.linspace(low, high, _BINS + 1)


def _is_grid(steps: np.ndarray) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        multiples = steps / steps.min()
        return bool((np.abs(multiples - np.round(multiples)) < 0.01).all())
