"""Confusions of classes: the largest ones, and the confusion matrix, condensed if it has many classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_LARGEST = 10
_WHOLE = 15  # classes of a matrix that is shown as it is
_KEPT = 11  # classes of a condensed matrix
_LETTERS = 80  # that fit beside each other above a matrix


@dataclass(frozen=True)
class Confusion:
    """A class that is taken for another one: how often, and the share of its rows."""

    true: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix, row = true class, column = predicted class.

    Attributes:
        names: Of the k rows and columns.
        counts: (k, k).
        n_joined: Number of classes that the last row and column stand for; 0 if each stands for one.
        n_confused: Rows among those in the last cell whose class is taken for another one.
    """

    names: tuple[str, ...]
    counts: np.ndarray
    n_joined: int = 0
    n_confused: int = 0

    @property
    def is_tall(self) -> bool:
        """Whether the names of the columns are too long to stand side by side."""
        return max(map(len, self.names)) * len(self.names) > _LETTERS

    @property
    def shares(self) -> np.ndarray:
        """(k, k) share of the rows of the true class."""
        return np.asarray(self.counts / np.maximum(self.counts.sum(1, keepdims=True), 1))


def largest_confusions(counts: np.ndarray, names: Sequence[str]) -> list[Confusion]:
    """At most ten confusions of (n_classes, n_classes) counts, the most frequent first."""
    wrong, support = _wrong(counts), counts.sum(1)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_LARGEST]
    cells = [(int(i), int(j)) for i, j in zip(*np.unravel_index(order, counts.shape), strict=True)]
    return [
        Confusion(names[i], names[j], int(wrong[i, j]), float(wrong[i, j] / support[i]))
        for i, j in cells
        if wrong[i, j]
    ]


def matrix_of(counts: np.ndarray, names: Sequence[str]) -> Matrix:
    """The matrix of (n_classes, n_classes) counts; of more than 15 classes the 11 with the most errors, then the rest.

    An error counts for both of its classes. Classes without one are among the rest.
    """
    if len(names) <= _WHOLE:
        return Matrix(tuple(names), counts)
    wrong = _wrong(counts)
    errors = wrong.sum(0) + wrong.sum(1)
    n_kept = min(_KEPT, int((errors > 0).sum()))
    kept = np.sort(np.argsort(-errors, kind="stable")[:n_kept])
    place = np.full(len(names), n_kept)
    place[kept] = np.arange(n_kept)
    joined = np.zeros((n_kept + 1, n_kept + 1), counts.dtype)
    np.add.at(joined, (place[:, None], place[None, :]), counts)
    rest = place == n_kept
    names = (*(names[i] for i in kept), f"{rest.sum()} others")
    return Matrix(names, joined, int(rest.sum()), int(wrong[np.ix_(rest, rest)].sum()))


def _wrong(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts - np.diag(counts.diagonal()))
