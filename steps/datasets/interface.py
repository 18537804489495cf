"""Interface of a model: the contract between its training data and the data it is applied to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from steps.datasets.dataset import Dataset
from steps.datasets.tabular.columns import Columns
from steps.datasets.tabular.interval import PredictionInterval
from steps.datasets.tabular.target import Target


@dataclass(frozen=True)
class Interface:
    """Inputs and outputs of a model.

    Attributes:
        target: The predicted column.
        n_features: Width of the network's input.
        dtype: Type of that input.
        feature_max: Largest value of an input.
        image_shape: (height, width) or (height, width, 3) if a row of input is an image, else None.
        level_counts: As in `Dataset`.
        columns: Models of tables, which take raw rows: the columns and their encoding.
        numbers: Positions of the features that are numbers of a table, as opposed to indicators and codes.
    """

    target: Target
    n_features: int
    dtype: np.dtype[Any]
    feature_max: float
    image_shape: tuple[int, ...] | None
    level_counts: tuple[int, ...] = ()
    columns: Columns | None = None
    numbers: tuple[int, ...] = ()

    @classmethod
    def of(cls, dataset: Dataset) -> Interface:
        """Interface of a model of these data."""
        dtype = next(iter(dataset.splits.values())).features.dtype
        return cls(
            dataset.target,
            dataset.n_features,
            dtype,
            dataset.feature_max,
            dataset.image_shape,
            dataset.level_counts,
            dataset.columns,
            dataset.columns.encoding.numbers if dataset.columns else (),
        )

    @property
    def interval(self) -> PredictionInterval | None:
        """The intervals around predicted numbers; None for classes."""
        return self.columns.interval if self.columns else None

    def as_metadata(self) -> dict[str, Any]:
        """The part that is not in the columns, as JSON types."""
        return {
            "target": self.target.to_json(),
            "is_table": self.columns is not None,
            "n_features": self.n_features,
            "dtype": self.dtype.name,
            "feature_max": self.feature_max,
            "image_shape": list(self.image_shape) if self.image_shape else None,
            "level_counts": list(self.level_counts),
        }

    def differences(self, other: Interface) -> list[str]:
        """Differences that rule out a comparison of two models with these interfaces, a line each."""
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
