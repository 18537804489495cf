"""Distances between the distributions of a column in two splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtrc, chdtrc, kolmogorov

from steps.datasets.tabular.schema import Column

_P = 0.001  # probability that a random split raises any column of a table, at most
_FAR, _FAR_MISSING = 0.1, 0.05  # distances below are of no importance
_LEAST = 5  # expected rows of a level in the smaller split; rarer levels are taken together


@dataclass(frozen=True)
class Distance:
    """Distance of a column between the training rows and those of another split.

    Attributes:
        values: Of the present values, in [0, 1]: the Kolmogorov-Smirnov statistic of numbers and dates, the total
            variation distance of levels.
        missing: Share of missing values in the split less that in the training rows, in [-1, 1].
        is_far: Whether the values differ by more than chance, and by a distance of some importance.
        is_missing_far: Whether the shares of missing values do.
    """

    values: float
    missing: float
    is_far: bool
    is_missing_far: bool

    @property
    def is_notable(self) -> bool:
        return self.is_far or self.is_missing_far

    @property
    def largest(self) -> float:
        """The larger one of both, in [0, 1]."""
        return max(self.values, abs(self.missing))


def distances(column: Column, values: Mapping[str, np.ndarray], n_columns: int) -> dict[str, Distance]:
    """Distances of the other splits from the training rows.

    Args:
        values: (n,) numbers of `train` and of other splits, from `as_numbers`.
        n_columns: Number of columns that are tested.
    """
    others = [name for name in values if name != "train"]
    level = _P / (2 * n_columns * len(others))  # Bonferroni: each is tested by its values and by its missing ones
    return {name: _distance(column, values["train"], values[name], level) for name in others}


def _distance(column: Column, ours: np.ndarray, theirs: np.ndarray, level: float) -> Distance:
    absent = np.isnan(ours), np.isnan(theirs)
    present = ours[~absent[0]], theirs[~absent[1]]
    shift, p = (_of_numbers if column.kind in ("number", "date") else _of_levels)(*present)
    missing = float(absent[1].mean() - absent[0].mean())
    p_missing = _of_shares(*absent)
    is_far, is_missing_far = p < level and shift >= _FAR, p_missing < level and abs(missing) >= _FAR_MISSING
    return Distance(shift, missing, is_far, is_missing_far)


def _of_numbers(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """The Kolmogorov-Smirnov statistic of two samples and its asymptotic p-value, which ties make too large."""
    if not len(ours) or not len(theirs):
        return 0.0, 1.0
    ours, theirs = np.sort(ours), np.sort(theirs)
    both = np.concatenate([ours, theirs])
    shares = [np.searchsorted(part, both, side="right") / len(part) for part in (ours, theirs)]
    statistic = float(np.abs(shares[0] - shares[1]).max())
    n = len(ours) * len(theirs) / len(both)
    return statistic, float(kolmogorov(np.sqrt(n) * statistic))


def _of_levels(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """The total variation distance of two samples of levels and the p-value of the chi-squared test.

    Rare levels are taken together, with the least frequent other one if they are few: each would be in one of two small
    samples only.
    """
    if not len(ours) or not len(theirs):
        return 0.0, 1.0
    _, numbers = np.unique(np.concatenate([ours, theirs]), return_inverse=True)
    counts = np.array([np.bincount(part, minlength=numbers.max() + 1) for part in np.split(numbers, [len(ours)])])
    counts = counts[:, np.argsort(-counts.sum(0), kind="stable")]
    fewest = counts.sum(0) * (min(len(ours), len(theirs)) / counts.sum())  # expected rows in the smaller sample
    n_kept = int((fewest >= _LEAST).sum())
    starts = [*range(n_kept), n_kept] if fewest[n_kept:].sum() >= _LEAST else [*range(n_kept)]
    counts = np.add.reduceat(counts, starts or [0], axis=1)
    sizes = counts.sum(1, keepdims=True)
    expected = sizes * counts.sum(0) / counts.sum()
    statistic = ((counts - expected) ** 2 / expected).sum()
    distance = float(np.abs(np.subtract(*(counts / sizes))).sum() / 2)
    return distance, float(chdtrc(counts.shape[1] - 1, statistic)) if counts.shape[1] > 1 else 1.0


def _of_shares(ours: np.ndarray, theirs: np.ndarray) -> float:
    """p-value of equal shares of true elements in two (n,) masks.

    Given their sum, two Poisson numbers are binomial (Przyborowski & Wilenski, Biometrika 31, 1940): exact for rare
    elements, cautious for frequent ones.
    """
    if ours.mean() + theirs.mean() > 1:
        ours, theirs = ~ours, ~theirs
    n = int(ours.sum() + theirs.sum())
    share = len(ours) / (len(ours) + len(theirs))
    tails = (bdtrc(k - 1, n, p) if k else 1.0 for k, p in ((ours.sum(), share), (theirs.sum(), 1 - share)))
    return min(1.0, 2 * float(min(tails)))
