"""Common parts of the baselines: the features for scikit-learn's models, and the cost of the boosted trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from steps.datasets import Dataset, Split
from steps.datasets.interface import Interface

BOOSTING = "gradient_boosting"  # scikit-learn's HistGradientBoosting
_MOST_LEVELS = 255  # of a category that the boosted trees can split by set
_MOST_COST = 20_000_000  # rows x features x trees per iteration: one to three minutes on two cores


@dataclass(frozen=True)
class Boosted:
    """Boosted trees on test rows: their (m, n_outputs) outputs, and how many training rows they were fitted on."""

    outputs: np.ndarray
    n_rows: int


@dataclass(frozen=True)
class Features:
    """The features of a data set as scikit-learn's models take them.

    Attributes:
        feature_max: Largest value of a feature; 1 for tables.
        n_codes: Number of last features that are codes of categories.
        is_image: Whether a row is an image.
    """

    feature_max: float = 1.0
    n_codes: int = 0
    is_image: bool = False

    @classmethod
    def of(cls, data: Dataset | Interface) -> Features:
        return cls(data.feature_max, len(data.level_counts), data.image_shape is not None)

    def linear(self, train: Split, test: Split) -> tuple[Any, Any]:
        """(n, k) float32 of both for a linear model: numbers in [0, 1] or standardised, each category a column."""
        dense = [self._dense(split).astype(np.float32) / np.float32(self.feature_max) for split in (train, test)]
        if not self.n_codes:
            return dense[0], dense[1]
        from scipy.sparse import csr_array, hstack
        from sklearn.preprocessing import OneHotEncoder

        encoder = OneHotEncoder(handle_unknown="ignore", dtype=np.float32).fit(self._codes(train))
        ours, theirs = (
            hstack([csr_array(numbers), encoder.transform(self._codes(split))], format="csr")
            for numbers, split in zip(dense, (train, test), strict=True)
        )
        return ours, theirs

    def trees(self, train: Split, test: Split) -> tuple[np.ndarray, np.ndarray, list[int]]:
        """(n, n_features) float32 of both for boosted trees, and which columns are categories.

        Codes begin at 0 in each column, NaN for one that is not in the training rows; those of a column with more than
        255 levels are taken for numbers.
        """
        both = [np.array(split.features, np.float32) for split in (train, test)]
        first = both[0].shape[1] - self.n_codes
        categories = []
        for column in range(first, first + self.n_codes):
            levels = np.unique(both[0][:, column])
            if len(levels) <= _MOST_LEVELS:
                categories.append(column)
                for features in both:
                    places = np.minimum(np.searchsorted(levels, features[:, column]), len(levels) - 1)
                    features[:, column] = np.where(levels[places] == features[:, column], places, np.nan)
        return both[0], both[1], categories

    def rows_for_trees(self, train: Split, trees_per_iteration: int) -> Split:
        """The rows that boosted trees are fitted on: all, or a seeded sample that takes a few minutes."""
        most = _MOST_COST // (train.features.shape[1] * trees_per_iteration)
        if len(train) <= most:
            return train
        return train.rows(np.sort(np.random.default_rng(0).permutation(len(train))[:most]))

    def _dense(self, split: Split) -> np.ndarray:
        return split.features[:, : split.features.shape[1] - self.n_codes]

    def _codes(self, split: Split) -> np.ndarray:
        return split.features[:, split.features.shape[1] - self.n_codes :]


PLAIN = Features()
