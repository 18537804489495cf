"""A study as its report shows it, in a form that outlives its database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json, json_to_distribution
from optuna.trial import FrozenTrial, TrialState

from steps.tasks.objectives import Objective, followed, objectives_of
from steps.tasks.task import Task

_STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}


@dataclass(frozen=True)
class Row:
    """One ended trial.

    Attributes:
        values: Of each objective, for a complete trial; else empty.
        score: The primary metric on the validation split after the last epoch; None if no epoch was finished.
        distributions: Of the hyperparameters that were searched; the others were fixed.
        curve: The first objective after each epoch, from epoch 1; the primary metric if that is a cost.
        budget: Epochs of a trial that is not pruned.
        start, end: Seconds since 1970; 0 if unknown.
        error: Why it failed; else empty.
    """

    number: int
    state: Literal["complete", "pruned", "failed"]
    run_id: str = ""
    values: tuple[float, ...] = ()
    score: float | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    distributions: Mapping[str, BaseDistribution] = field(default_factory=dict)
    curve: tuple[float, ...] = ()
    budget: int = 0
    start: float = 0
    end: float = 0
    error: str = ""

    def as_trial(self, n_objectives: int) -> FrozenTrial:
        """The trial as Optuna knows it, with its first objectives only."""
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
    """What a study has found.

    Attributes:
        n_validation: Rows of the validation split.
        rows: All ended trials, in the order of their numbers.
        best: Number of the selected trial; None if no trial is complete.
        reason: Why it is that one.
        front: With several objectives, the numbers of the trials on the Pareto front, best first.
    """

    name: str
    objectives: tuple[Objective, ...]
    task: Task
    n_validation: int
    rows: tuple[Row, ...]
    best: int | None = None
    reason: str = ""
    front: tuple[int, ...] = ()

    @property
    def complete(self) -> list[Row]:
        return [row for row in self.rows if row.state == "complete"]

    @property
    def followed(self) -> Objective:
        """The objective of the rows' curves."""
        return followed(self.objectives, self.task)

    def study(self, n_objectives: int = 1) -> optuna.Study:
        """An Optuna study, in memory, of the same trials and the first objectives only."""
        study = optuna.create_study(
            study_name=self.name, directions=[objective.direction for objective in self.objectives[:n_objectives]]
        )
        study.add_trials(row.as_trial(n_objectives) for row in self.rows)
        return study

    def to_json(self) -> str:
        """All but the task; each distribution, which most trials share, stands there once."""
        texts = {d: distribution_to_json(d) for row in self.rows for d in row.distributions.values()}
        places = {text: i for i, text in enumerate(dict.fromkeys(texts.values()))}
        rows = [
            vars(row) | {"distributions": {name: places[texts[d]] for name, d in row.distributions.items()}}
            for row in self.rows
        ]
        own = {"objectives": [objective.name for objective in self.objectives], "rows": rows}
        known = {name: value for name, value in vars(self).items() if name != "task"}
        return json.dumps(known | own | {"distributions": list(places)})

    @classmethod
    def from_json(cls, text: str, task: Task) -> Self:
        known = json.loads(text)
        distributions = [json_to_distribution(text) for text in known.pop("distributions")]
        return cls(
            **known
            | {
                "task": task,
                "objectives": objectives_of(known["objectives"], task),
                "rows": tuple(_row(row, distributions) for row in known["rows"]),
                "front": tuple(known["front"]),
            }
        )


def _row(known: dict[str, Any], distributions: Sequence[BaseDistribution]) -> Row:
    return Row(
        **known
        | {
            "values": tuple(known["values"]),
            "curve": tuple(known["curve"]),
            "distributions": {name: distributions[place] for name, place in known["distributions"].items()},
        }
    )
