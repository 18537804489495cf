"""Target leakage: columns that almost determine the target on their own."""

from __future__ import annotations

import numpy as np

from .arrays import Cells
from .dates import seconds
from .schema import Column
from .target import Target
from .values import read_dates, read_numbers
from .words import words

# Shares of the target from which a column is reported. A measurement may explain most of it (the petals of irises:
# 0.94), words and the few numbers of a scale hardly ever do, and whether a cell is empty even less.
_BY_VALUES, _BY_LEVELS, _BY_PRESENCE = 0.98, 0.85, 0.5
_FEW_LEVELS = 10  # numbers of a scale
_BINS = 200  # bins of numbers, with equally many rows each
_ROWS_PER_BIN = 5


def leak(column: Column, cells: Cells, target: Target, values: np.ndarray) -> str:
    """A clause on a column that gives the target away, by its cells or by their being empty; else empty.

    Args:
        values: (n,) targets, as in `Labels`.
    """
    if values.min() == values.max():
        return ""
    groups, numbers, is_missing = _groups(column, cells)
    if 0 < is_missing.sum() < len(is_missing):
        share = explained(is_missing.astype(np.int64), np.empty(0), target, values)
        if share >= _BY_PRESENCE:
            return f"column {column.name!r} explains {share:.1%} of the target by its empty cells alone"
    share = explained(groups, numbers, target, values)
    is_measured = len(np.unique(numbers[~np.isnan(numbers)])) > _FEW_LEVELS
    is_leak = share >= (_BY_VALUES if is_measured else _BY_LEVELS)
    return f"column {column.name!r} alone explains {share:.1%} of the target" if is_leak else ""


def _groups(column: Column, cells: Cells) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n,) group numbers of rows with like cells, (n,) numbers (none for words), and (n,) whether a cell is missing."""
    if column.kind in ("number", "date"):
        numbers = read_numbers(column, cells) if column.kind == "number" else seconds(read_dates(column, cells))
        return bins(numbers), numbers, np.isnan(numbers)
    positions, found = words(cells)
    index: dict[str | None, int] = {}
    of_words = [index.setdefault(word, len(index)) for word in found]
    missing = index.get(None, len(index))
    groups = np.array([*of_words, missing])[positions]
    return groups, np.empty(0), groups == missing


def explained(groups: np.ndarray, numbers: np.ndarray, target: Target, values: np.ndarray) -> float:
    """Share of the target that is explained by groups of rows, at most 1.

    Rows with the same value, or nearly the same number, are alike. For classes: the reduction in error, relative to
    always guessing the most frequent class, if each row gets the majority class of the other rows like it. For numbers:
    R² of the mean of the other rows like it, or of a straight line. The row itself does not count, so that words that
    identify rows explain nothing.

    Returns:
        0 or less for groups that explain nothing.
    """
    if target.class_names:
        return _of_classes(groups, values)
    return max(_of_numbers(groups, values.astype(float)), _of_a_line(numbers, values.astype(float)))


def bins(numbers: np.ndarray) -> np.ndarray:
    """(n,) bin numbers from 0; bin 0 holds the missing numbers."""
    present = numbers[~np.isnan(numbers)]
    edges = np.unique(present)
    most = min(_BINS, max(2, len(numbers) // _ROWS_PER_BIN))
    if len(edges) > most:
        edges = np.unique(np.quantile(present, np.linspace(0, 1, most + 1)[:-1]))
    return np.where(np.isnan(numbers), 0, np.searchsorted(edges, numbers, side="right"))


def _of_classes(groups: np.ndarray, classes: np.ndarray) -> float:
    n_classes = int(classes.max()) + 1
    pairs, counts = np.unique(groups.astype(np.int64) * n_classes + classes, return_counts=True)
    order = np.lexsort((counts, pairs // n_classes))
    group, counts = (pairs // n_classes)[order], counts[order]  # within each group the most frequent class comes last
    is_last = np.append(group[1:] != group[:-1], True)
    second = np.where(np.append(False, group[1:] == group[:-1]), np.append(0, counts[:-1]), 0)
    n_right = counts[is_last & (counts - 1 > second)].sum()
    n_guessed = np.bincount(classes).max()
    return float(1 - (len(classes) - n_right) / (len(classes) - n_guessed))


def _of_numbers(groups: np.ndarray, numbers: np.ndarray) -> float:
    n_others = np.bincount(groups)[groups] - 1
    sums = np.bincount(groups, numbers)[groups] - numbers
    guesses = np.where(n_others > 0, sums / np.maximum(n_others, 1), numbers.mean())
    return float(1 - ((numbers - guesses) ** 2).sum() / ((numbers - numbers.mean()) ** 2).sum())


def _of_a_line(numbers: np.ndarray, targets: np.ndarray) -> float:
    present = ~np.isnan(numbers) if len(numbers) else np.zeros(len(targets), bool)
    if 2 * present.sum() < len(targets):
        return 0.0
    x, y = numbers[present], targets[present]
    x, y = x - x.mean(), y - y.mean()
    spread = (x**2).sum() * (y**2).sum()
    return float((x * y).sum() ** 2 / spread) if spread > 0 else 0.0
