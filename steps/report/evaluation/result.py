"""An evaluation as its report shows it, in a form that can be read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from steps.tasks.checks import Check
from steps.tasks.comparison import Comparison
from steps.tasks.metric import Interval


@dataclass(frozen=True)
class ChampionComparison:
    """The model beside the champion, on the same test rows.

    Attributes:
        version: That of the champion.
        test: Name of the significance test.
        champion: The champion's primary metric.
        details: Fields of the task's own comparison, such as the four counts of McNemar's test.
    """

    version: int
    test: str
    champion: float
    p_value: float
    details: Mapping[str, float]

    @classmethod
    def of(cls, version: int, comparison: Comparison) -> Self:
        return cls(version, comparison.test, comparison.champion, comparison.p_value, vars(comparison))


@dataclass(frozen=True)
class EvaluationResult:
    """A model on the test split, and the decision about it.

    Attributes:
        title: Name and version of the registered model.
        reasons: Of the approval and of the promotion, one sentence each.
        scores: By metric, the primary one first.
        baselines: Primary metric of each baseline.
        comparison: None if there was no champion.
        losses: Training loss of each epoch of the final training.
        lineage: Group -> name -> value.
    """

    title: str
    approved: bool
    promoted: bool
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]
    scores: Mapping[str, Interval]
    baselines: Mapping[str, float]
    comparison: ChampionComparison | None
    losses: tuple[float, ...]
    lineage: Mapping[str, Mapping[str, Any] | str]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        known = json.loads(text)
        return cls(
            **known
            | {
                "reasons": tuple(known["reasons"]),
                "checks": tuple(Check(**check) for check in known["checks"]),
                "scores": {name: Interval(**score) for name, score in known["scores"].items()},
                "comparison": known["comparison"] and ChampionComparison(**known["comparison"]),
                "losses": tuple(known["losses"]),
            }
        )
