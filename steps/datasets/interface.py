"""What a model takes and gives: the contract between the data it was trained on and the data it is applied to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from steps.datasets.dataset import Dataset


@dataclass(frozen=True)
class Interface:
    """What a model takes and gives.

    Attributes:
        class_names: One per column of its output.
        n_features: Width of its input.
        dtype: Of its input.
        feature_max: Largest value of an input.
        image_shape: (height, width) where a row of input is an image, else None.
    """

    class_names: tuple[str, ...]
    n_features: int
    dtype: np.dtype[Any]
    feature_max: float
    image_shape: tuple[int, int] | None

    @classmethod
    def of(cls, dataset: Dataset) -> Interface:
        """What a model of these data takes and gives."""
        dtype = next(iter(dataset.splits.values())).features.dtype
        return cls(dataset.class_names, dataset.n_features, dtype, dataset.feature_max, dataset.image_shape)

    def as_metadata(self) -> dict[str, Any]:
        """The part that shape and dtype do not tell, of JSON types."""
        return {
            "class_names": list(self.class_names),
            "feature_max": self.feature_max,
            "image_shape": list(self.image_shape) if self.image_shape else None,
        }
