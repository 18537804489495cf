"""The predicted column, of classes or of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .decision import Decision
from .sets import PredictionSets

TaskName = Literal["classification", "regression"]


@dataclass(frozen=True)
class Target:
    """The predicted column.

    Attributes:
        task: Name of the task in the registry of tasks.
        name: Name of the column; empty for data that are not a table.
        class_names: One per class, in natural order; empty for regression.
        positive_class: The class whose probability scores two classes; empty unless there are two.
        low: Smallest value of the training rows, in the target's units; 0 for classes, like the next three.
        high: Largest value of the training rows.
        mean: Mean of the training rows.
        std: Standard deviation of the training rows, > 0.
        is_skewed: Whether an MLP may learn log(1 + x) more easily than x: never negative, with a long upper tail.
        log_mean, log_std: Mean and standard deviation of log(1 + x), if `is_skewed`.
        why: Reason for the task, for people.
        decision: In a model of two classes whose errors have costs; None to predict the most probable class.
        sets: In a model of classes that can state prediction sets, else None.
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
    decision: Decision | None = None
    sets: PredictionSets | None = None

    @property
    def positive(self) -> int | None:
        """Number of the class that is asked for, of two; by default the second. None of several, and of numbers."""
        if len(self.class_names) != 2:
            return None
        return self.class_names.index(self.positive_class) if self.positive_class else 1

    def to_json(self) -> dict[str, Any]:
        """All attributes as JSON types, those that are None left out."""
        about = {**asdict(self), "class_names": list(self.class_names)}
        return {name: value for name, value in about.items() if value is not None}

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Target:
        """The inverse of `to_json`."""
        decision = Decision.from_json(about["decision"]) if "decision" in about else None
        sets = PredictionSets.from_json(about["sets"]) if "sets" in about else None
        return cls(**{**about, "class_names": tuple(about["class_names"]), "decision": decision, "sets": sets})
