"""The decision between two classes if their errors have costs: the threshold that a registered model applies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Costs:
    """Costs of the two errors, above 0, in a unit of the user's; a right prediction costs nothing."""

    false_positive: float
    false_negative: float

    def __str__(self) -> str:
        return f"fp:{self.false_positive:.10g},fn:{self.false_negative:.10g}"

    @property
    def threshold(self) -> float:
        """The threshold with the least expected cost if the probabilities are right, in (0, 1) (Elkan, IJCAI 2001)."""
        return self.false_positive / (self.false_positive + self.false_negative)


@dataclass(frozen=True)
class Decision:
    """A threshold for the probability of the positive class, and the costs that it was chosen by.

    Attributes:
        threshold: The positive class is predicted from this probability on; in [0, 1].
    """

    threshold: float
    costs: Costs

    def to_json(self) -> dict[str, Any]:
        """All attributes as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Decision:
        """The inverse of `to_json`."""
        return cls(about["threshold"], Costs(**about["costs"]))
