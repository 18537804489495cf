"""Equal and nearly equal rows, within the training rows and across the splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from steps.datasets.dataset import TRAINING, Split
from steps.datasets.overview.rows import first_of_each, sampled

_QUERIES, _ROWS, _FEATURES = 1_000, 20_000, 100  # sampled rows with a neighbour, possible neighbours, features
_NEIGHBOURS = 10
_NEAR = 0.01  # distance to the nearest row, as a share of that to the 10th
_LEAST, _MOST = 0.01, 0.2  # shares of the rows: a difference that matters, and more than is natural
_ERRORS = 4.0  # standard errors of a difference of two shares


@dataclass(frozen=True)
class Neighbours:
    """Test rows that nearly equal a training or validation row.

    A row is nearly equal if its nearest other row is at most 1 % as far away as the 10th nearest one, in the space of
    the encoded features, and not equal.

    Attributes:
        n_test: Number of sampled test rows, without those that equal another row.
        n_rows: Number of sampled training and validation rows.
        near_test: Share of the test rows that nearly equal one of them.
        near_others: Share of these rows that nearly equal another one of them: such rows may be natural.
        is_suspicious: Whether more test rows do than is natural.
    """

    n_test: int
    n_rows: int
    near_test: float
    near_others: float
    is_suspicious: bool


@dataclass(frozen=True)
class Repeats:
    """Rows that are equal for a model: their encoded features are.

    Attributes:
        n_equal: Training and validation rows that equal another one.
        n_contradicting: Of these, rows that equal one with another target.
        n_shared: Test rows that equal a training or validation row.
        is_suspicious: Whether more test rows do than training and validation rows equal another one.
        neighbours: None for images, and if there are too few rows.
    """

    n_equal: int
    n_contradicting: int
    n_shared: int
    is_suspicious: bool
    neighbours: Neighbours | None


def find_repeats(splits: Mapping[str, Split], hashes: Mapping[str, np.ndarray], *, are_images: bool) -> Repeats:
    """Equal rows, and nearly equal ones across the splits.

    Args:
        splits: With `train` and `test`, perhaps `validation`.
        hashes: `row_hashes` of each split.
        are_images: Equal images are never natural, and nearly equal ones are not searched.
    """
    others = [splits[name] for name in TRAINING if name in splits]
    keys = np.concatenate([hashes[name] for name in TRAINING if name in splits])
    targets = np.concatenate([split.targets for split in others])
    _, numbers, counts = np.unique(keys, return_inverse=True, return_counts=True)
    order = np.lexsort((targets, numbers))
    is_other = (np.diff(numbers[order]) == 0) & (np.diff(targets[order]) != 0)
    has_others = np.isin(np.arange(len(counts)), numbers[order][1:][is_other])
    n_equal = int(counts[counts > 1].sum())
    is_shared = np.isin(hashes["test"], keys)
    natural = 0.0 if are_images else n_equal / len(keys)
    neighbours = None
    if not are_images:
        features = sampled(np.arange(others[0].features.shape[1]), _FEATURES)
        rows = sampled(first_of_each(keys), _ROWS)
        starts = np.cumsum([0, *map(len, others)])
        parts = [
            split.features[rows[(rows >= start) & (rows < start + len(split))] - start][:, features]
            for start, split in zip(starts[:-1], others, strict=True)
        ]
        test = splits["test"].features[sampled(np.flatnonzero(~is_shared), _QUERIES)][:, features]
        neighbours = _neighbours(np.concatenate(parts).astype(float), test.astype(float))
    return Repeats(
        n_equal=n_equal,
        n_contradicting=int(has_others[numbers].sum()),
        n_shared=int(is_shared.sum()),
        is_suspicious=_is_more(float(is_shared.mean()), natural, len(is_shared), len(keys)),
        neighbours=neighbours,
    )


def _neighbours(rows: np.ndarray, test: np.ndarray) -> Neighbours | None:
    """Nearly equal rows of (n, n_features) different rows, and of (m, n_features) test rows that equal none of them."""
    if len(rows) <= _NEIGHBOURS or not len(test):
        return None
    from sklearn.neighbors import NearestNeighbors  # late: the import takes a second

    search = NearestNeighbors(n_neighbors=_NEIGHBOURS).fit(rows)
    found, _ = search.kneighbors(test)
    some = rows[sampled(np.arange(len(rows)), _QUERIES)]
    others, _ = search.kneighbors(some, n_neighbors=_NEIGHBOURS + 1)  # the first one is the row itself
    near_test, near_others = (
        float((distances[:, 0] <= _NEAR * distances[:, -1]).mean()) for distances in (found, others[:, 1:])
    )
    is_suspicious = near_test >= _MOST or _is_more(near_test, near_others, len(found), len(others))
    return Neighbours(len(test), len(rows), near_test, near_others, is_suspicious)


def _is_more(share: float, natural: float, n: int, n_natural: int) -> bool:
    """Return whether a share of n rows is larger than the natural one of other rows, by more than chance."""
    pooled = (share * n + natural * n_natural) / (n + n_natural)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_natural))
    return bool(share - natural >= max(_LEAST, _ERRORS * error) and share > 0)
