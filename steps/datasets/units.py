"""Units of rows that must stay together, and their stratified split into two sides or into folds."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_BINS = 10  # bins of a numeric target, with equally many rows each
_ROWS_PER_BIN = 10
_DRAWINGS = 20
_FARTHEST = 2.0  # largest ratio of actual and requested share, on either side


def numbered(labels: np.ndarray) -> np.ndarray:
    """(n,) numbers from 0, equal for equal labels."""
    return np.unique(labels, return_inverse=True)[1]


def join_units(*labelings: np.ndarray) -> np.ndarray:
    """(n,) numbers of units, from 0: rows that share a label in any labeling are in one unit, transitively.

    Args:
        labelings: (n,) labels each, any numbers.
    """
    n = len(labelings[0])
    nodes = [numbered(labels) for labels in labelings]
    offsets = np.cumsum([n, *(int(node.max()) + 1 for node in nodes)])
    links = np.concatenate([node + offset for node, offset in zip(nodes, offsets[:-1], strict=True)])
    rows = np.tile(np.arange(n), len(nodes))
    graph = coo_array((np.ones(len(rows), np.int8), (rows, links)), shape=(offsets[-1], offsets[-1]))
    return numbered(connected_components(graph, directed=False)[1][:n])


def strata_of(targets: np.ndarray) -> np.ndarray:
    """(n,) strata: classes unchanged, numbers in bins with equally many rows."""
    if np.issubdtype(targets.dtype, np.integer):
        return targets.astype(np.int64)
    n_bins = int(np.clip(len(targets) // _ROWS_PER_BIN, 1, _BINS))
    edges = np.unique(np.quantile(targets, np.linspace(0, 1, n_bins + 1)[1:-1]))
    return np.searchsorted(edges, targets, side="right")


def hold_out(strata: np.ndarray, units: np.ndarray, fraction: float, random: np.random.Generator) -> np.ndarray:
    """(n,) bool mask of held-out rows: whole units, nearly the same fraction of each stratum.

    In each stratum with several units, at least one is held out and at least one is not. If units have several rows,
    the best of several draws is taken.

    Args:
        strata: (n,) numbers from 0; a unit belongs to the stratum of most of its rows.
        units: (n,) numbers from 0.
        fraction: Share of the rows, in (0, 1).
        random: Shuffles the units of a stratum.
    """
    if int(units.max()) + 1 == len(units):
        return _drawn(strata, units, fraction, random)
    n_rows = np.bincount(strata)

    def badness(is_held: np.ndarray) -> tuple[int, float]:
        n_held = np.bincount(strata[is_held], minlength=len(n_rows))
        return int(((n_held == 0) | (n_held == n_rows)).sum()), float(np.abs(n_held - fraction * n_rows).sum())

    return min((_drawn(strata, units, fraction, random) for _ in range(_DRAWINGS)), key=badness)


def _drawn(strata: np.ndarray, units: np.ndarray, fraction: float, random: np.random.Generator) -> np.ndarray:
    stratum_of_unit, sizes = _majorities(strata, units)
    order = np.lexsort((random.random(len(sizes)), stratum_of_unit))
    stratum, size = stratum_of_unit[order], sizes[order]
    ends = np.cumsum(np.bincount(stratum, size))
    wanted = np.diff(np.round(fraction * ends), prepend=0)  # rows of each stratum, which add up to the fraction of all
    middles = np.cumsum(size) - size / 2 - np.concatenate([[0], ends])[stratum]
    is_held = middles < wanted[stratum]
    is_first, is_last = np.diff(stratum, prepend=-1) != 0, np.diff(stratum, append=-1) != 0
    is_held[is_first & ~is_last] = True
    is_held[is_last & ~is_first] = False
    of_unit = np.empty(len(order), bool)
    of_unit[order] = is_held
    held: np.ndarray = of_unit[units]
    return held


def deal(strata: np.ndarray, units: np.ndarray, n_folds: int, random: np.random.Generator) -> np.ndarray:
    """(n,) fold of each row, from 0: whole units, with nearly equally many rows of each stratum in each fold."""
    stratum_of_unit, sizes = _majorities(strata, units)
    order = np.lexsort((random.random(len(sizes)), -sizes, stratum_of_unit))
    of_unit = np.empty(len(order), np.int64)
    of_unit[order] = np.arange(len(order)) % n_folds
    folds: np.ndarray = of_unit[units]
    return folds


def cut(times: np.ndarray, units: np.ndarray, share: float) -> np.ndarray | None:
    """(n,) bool mask of the last rows in time, about this share of all; no unit and no instant is on both sides.

    Returns:
        None if there is no such cut near the share.
    """
    order = np.argsort(times, kind="stable")
    last = np.zeros(int(units.max()) + 1, np.int64)
    np.maximum.at(last, units[order], np.arange(len(order)))
    is_between_units = np.maximum.accumulate(last[units[order]])[:-1] <= np.arange(len(order) - 1)
    cuts = np.flatnonzero(is_between_units & (np.diff(times[order]) > 0)) + 1  # numbers of rows before them
    n_early, n_late = (1 - share) * len(order), share * len(order)
    cuts = cuts[(len(order) - cuts <= max(1.0, _FARTHEST * n_late)) & (cuts >= n_early / _FARTHEST)]
    if not len(cuts):
        return None
    late = np.zeros(len(order), bool)
    late[order[cuts[np.argmin(np.abs(cuts - n_early))] :]] = True
    return late


def _majorities(strata: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Stratum of most rows of each unit, and number of its rows."""
    n_strata = int(strata.max()) + 1
    pairs, counts = np.unique(units.astype(np.int64) * n_strata + strata, return_counts=True)
    order = np.lexsort((counts, pairs // n_strata))
    unit = (pairs // n_strata)[order]
    is_last = np.diff(unit, append=-1) != 0
    return (pairs % n_strata)[order][is_last], np.bincount(units)
