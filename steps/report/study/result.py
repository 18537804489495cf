"""Result of a study for its report, in a form that outlives the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json, json_to_distribution
from optuna.trial import FrozenTrial, TrialState
from pydantic import PlainSerializer, PlainValidator, TypeAdapter

from steps.tasks.metric import Interval
from steps.tasks.objectives import Objective

Distribution = Annotated[
    BaseDistribution, PlainValidator(lru_cache(json_to_distribution)), PlainSerializer(distribution_to_json)
]
_STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}


@dataclass(frozen=True)
class Row:
    """One ended trial.

    Attributes:
        values: Of each objective, for a complete trial; else empty.
        score: The primary metric on the validation split after the epoch by which the trial is judged, with an
            interval if it is complete; None if no epoch was finished.
        distributions: Of the hyperparameters that were searched; the others were fixed.
        curve: The followed objective after each epoch, from epoch 1.
        budget: Epochs of a trial that is not pruned.
        start, end: Seconds since 1970; 0 if unknown.
        error: Why it failed; else empty.
    """

    number: int
    state: Literal["complete", "pruned", "failed"]
    run_id: str = ""
    values: tuple[float, ...] = ()
    score: Interval | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    distributions: Mapping[str, Distribution] = field(default_factory=dict)
    curve: tuple[float, ...] = ()
    budget: int = 0
    start: float = 0
    end: float = 0
    error: str = ""

    def as_trial(self, n_objectives: int) -> FrozenTrial:
        """The trial as an Optuna trial, with its first objectives only."""
        return FrozenTrial(
            number=self.number,
            state=_STATES[self.state],
            value=None,
            values=self.values[:n_objectives] or None,
            datetime_start=datetime.fromtimestamp(self.start),
            datetime_complete=datetime.fromtimestamp(self.end),
            params={name: self.hyperparameters[name] for name in self.distributions},
            distributions=dict(self.distributions),
            user_attrs={},
            system_attrs={},
            intermediate_values=dict(enumerate(self.curve, 1)),
            trial_id=self.number,
        )


@dataclass(frozen=True)
class StudyResult:
    """The result of a study.

    Attributes:
        data_run_id: Run of the step `download`.
        followed: The objective of the curves: the first one, or the primary metric if that is a cost.
        n_validation: Rows of the validation split.
        rows: All ended trials, in the order of their numbers.
        best: Number of the selected trial; None if no trial is complete.
        reason: Reason for the selection.
        front: With several objectives, the numbers of the trials on the Pareto front, best first.
        expected: Primary metric of the selected trial to be expected on rows that have not selected it; None if it is
            not known, or the trial is not the best one.
    """

    name: str
    data_run_id: str
    objectives: tuple[Objective, ...]
    followed: Objective
    n_validation: int
    rows: tuple[Row, ...]
    best: int | None = None
    reason: str = ""
    front: tuple[int, ...] = ()
    expected: float | None = None

    @property
    def complete(self) -> list[Row]:
        return [row for row in self.rows if row.state == "complete"]

    def study(self, n_objectives: int = 1) -> optuna.Study:
        """An in-memory Optuna study of the same trials, with the first objectives only."""
        study = optuna.create_study(
            study_name=self.name, directions=[objective.direction for objective in self.objectives[:n_objectives]]
        )
        study.add_trials(row.as_trial(n_objectives) for row in self.rows)
        return study


RESULT: TypeAdapter[StudyResult] = TypeAdapter(StudyResult)  # to and from JSON
