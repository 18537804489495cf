"""What a model takes and gives: the contract between the data it was trained on and the data it is applied to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from steps.datasets.dataset import Dataset
from steps.datasets.tabular.columns import Columns
from steps.datasets.tabular.target import Target


@dataclass(frozen=True)
class Interface:
    """What a model takes and gives.

    Attributes:
        target: The column that it predicts.
        n_features: Width of the input of its network.
        dtype: Of that input.
        feature_max: Largest value of an input.
        image_shape: (height, width) or (height, width, 3) if a row of input is an image, else None.
        n_codes, n_levels: As in `Dataset`.
        columns: Of a model of a table, which takes raw rows: its columns, and how they are encoded.
    """

    target: Target
    n_features: int
    dtype: np.dtype[Any]
    feature_max: float
    image_shape: tuple[int, ...] | None
    n_codes: int = 0
    n_levels: int = 0
    columns: Columns | None = None

    @classmethod
    def of(cls, dataset: Dataset) -> Interface:
        """What a model of these data takes and gives."""
        dtype = next(iter(dataset.splits.values())).features.dtype
        return cls(
            dataset.target,
            dataset.n_features,
            dtype,
            dataset.feature_max,
            dataset.image_shape,
            dataset.n_codes,
            dataset.n_levels,
            dataset.columns,
        )

    def as_metadata(self) -> dict[str, Any]:
        """The part that signature and columns do not tell, of JSON types."""
        return {
            "target": self.target.to_json(),
            "feature_max": self.feature_max,
            "image_shape": list(self.image_shape) if self.image_shape else None,
            "n_codes": self.n_codes,
            "n_levels": self.n_levels,
        }
