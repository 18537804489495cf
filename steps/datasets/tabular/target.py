"""What is predicted: a column of classes or of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

TaskName = Literal["classification", "regression"]


@dataclass(frozen=True)
class Target:
    """The column that is predicted, as found in the table.

    Attributes:
        task: The name by which the task is looked up.
        name: Of the column; empty for data that are not a table.
        class_names: One per class, in natural order; empty for regression.
        positive_class: The class whose probability scores two classes; empty unless there are two.
        low: Least value of the training rows, in the target's units; 0 for classes, as the next three.
        high: Greatest value.
        mean: Mean of the training rows.
        std: Standard deviation of the same, > 0.
        is_skewed: Whether log(1 + x) may suit an MLP better than x: never negative, with a long upper tail.
        log_mean, log_std: Mean and standard deviation of log(1 + x), if `is_skewed`.
        why: Reason for the task, for people.
    """

    task: TaskName
    name: str = ""
    class_names: tuple[str, ...] = ()
    positive_class: str = ""
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    std: float = 1.0
    is_skewed: bool = False
    log_mean: float = 0.0
    log_std: float = 1.0
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """All attributes, of JSON types."""
        return {**asdict(self), "class_names": list(self.class_names)}

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Target:
        """The inverse of `to_json`."""
        return cls(**{**about, "class_names": tuple(about["class_names"])})
