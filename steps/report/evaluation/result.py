"""An evaluation as its report shows it, in a form that can be read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import TypeAdapter

from steps.datasets.tabular.decision import Decision
from steps.datasets.tabular.sets import PredictionSets
from steps.ensembles.mixture import Mixture
from steps.tasks.checks import Check
from steps.tasks.comparison import Comparison
from steps.tasks.dependence import PartialDependence
from steps.tasks.importance import ColumnImportance
from steps.tasks.metric import Interval
from steps.tasks.weak_groups import WeakGroup


@dataclass(frozen=True)
class ChampionComparison:
    """The model beside the champion, on the same test rows.

    Attributes:
        version: That of the champion.
        test: Name of the significance test.
        champion: The champion's primary metric.
        summary: The counts or losses behind the test, in one clause.
        details: Fields of the task's own comparison, such as the four counts of McNemar's test.
    """

    version: int
    test: str
    champion: Interval
    p_value: float
    summary: str
    details: Mapping[str, float]

    @classmethod
    def of(cls, version: int, champion: Interval, comparison: Comparison) -> Self:
        summary, details = comparison.summary(), vars(comparison)
        return cls(version, comparison.test, champion, comparison.p_value, summary, details)


@dataclass(frozen=True)
class EvaluationResult:
    """A model on the test split, and the decision about it.

    Attributes:
        title: Name and version of the registered model.
        data_run_id: Run of the step `download`.
        reasons: Of the approval and of the promotion, one sentence each.
        scores: By metric, the primary one first.
        baselines: Primary metric of each baseline.
        notes: Sentences that decided nothing.
        comparison: None if there was no champion.
        mixture: The weights of the trials and the reason for them; None if a single trial was asked for.
        members: Number and validation score in the primary metric of each trial of the model, the best one first.
        losses: Training loss of each epoch of the final training, by the name of the network.
        lineage: Group -> name -> value.
        importances: Of the columns of a table in the primary metric, the largest first.
        dependences: Of the outputs on the most important columns.
        weak_groups: Test rows that are predicted much worse than the others, the worst first.
        model_uri: URI of the version.
        decision: Of a model of two classes whose errors have costs, else None.
        sets: The prediction sets of a model of classes; None if it cannot state any.
    """

    title: str
    data_run_id: str
    approved: bool
    promoted: bool
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]
    scores: Mapping[str, Interval]
    baselines: Mapping[str, Interval]
    notes: tuple[str, ...]
    comparison: ChampionComparison | None
    mixture: Mixture | None
    members: tuple[tuple[int, float], ...]
    losses: Mapping[str, tuple[float, ...]]
    lineage: Mapping[str, Mapping[str, Any] | str]
    importances: tuple[ColumnImportance, ...] = ()  # from here on, what runs of before do not have
    dependences: tuple[PartialDependence, ...] = ()
    weak_groups: tuple[WeakGroup, ...] = ()
    model_uri: str = ""
    decision: Decision | None = None
    sets: PredictionSets | None = None


RESULT: TypeAdapter[EvaluationResult] = TypeAdapter(EvaluationResult)  # to and from JSON
