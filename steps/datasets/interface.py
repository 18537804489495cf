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
        level_counts: As in `Dataset`.
        columns: Of a model of a table, which takes raw rows: its columns, and how they are encoded.
    """

    target: Target
    n_features: int
    dtype: np.dtype[Any]
    feature_max: float
    image_shape: tuple[int, ...] | None
    level_counts: tuple[int, ...] = ()
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
            dataset.level_counts,
            dataset.columns,
        )

    def as_metadata(self) -> dict[str, Any]:
        """The part that signature and columns do not tell, of JSON types."""
        return {
            "target": self.target.to_json(),
            "is_table": self.columns is not None,
            "feature_max": self.feature_max,
            "image_shape": list(self.image_shape) if self.image_shape else None,
            "level_counts": list(self.level_counts),
        }

    def differences(self, other: Interface) -> list[str]:
        """Why a model with this interface cannot be compared with one with the other: a line per difference."""
        kinds = tuple("table" if interface.columns else "array" for interface in (self, other))
        pairs = {
            "kind of input": kinds,
            "task": (self.target.task, other.target.task),
            "target": (repr(self.target.name), repr(other.target.name)),
            "classes": tuple(", ".join(target.class_names) or "none" for target in (self.target, other.target)),
        }
        if self.columns is None and other.columns is None:
            pairs["number of features"] = str(self.n_features), str(other.n_features)
            pairs["image shape"] = str(self.image_shape), str(other.image_shape)
        lines = [f"{what} {ours}, in the other {theirs}" for what, (ours, theirs) in pairs.items() if ours != theirs]
        if self.columns and other.columns:
            lines += self.columns.schema.differences(other.columns.schema)
        return lines
