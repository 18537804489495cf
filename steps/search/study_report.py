"""Content of the report of a study, collected from Optuna's trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import takewhile
from typing import Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from steps.report.study.result import Row, StudyResult
from steps.search.space.space import contains
from steps.search.store.attributes import TrialAttributes
from steps.search.store.records import TrialRecord
from steps.search.trials.context import TrialContext
from steps.tasks.metric import Interval
from steps.tasks.objectives import Objective

_STATES: dict[TrialState, Literal["complete", "pruned", "failed"]] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


def result_of(
    study: optuna.Study,
    context: TrialContext,
    data_run_id: str,
    best: TrialRecord | None,
    reason: str,
    front: Sequence[TrialRecord],
    expected: float | None = None,
) -> StudyResult:
    """Content of the report.

    Args:
        best: The selected trial; None if no trial is complete.
        reason: Reason for the selection.
        expected: Its score on rows that have not selected it, as far as known.
    """
    trials = study.get_trials(deepcopy=False, states=tuple(_STATES))
    return StudyResult(
        study.study_name,
        data_run_id,
        context.objectives,
        context.followed,
        context.n_validation,
        tuple(row_of(trial, context) for trial in trials),
        best.trial_number if best else None,
        reason,
        tuple(record.trial_number for record in front),
        expected,
    )


def row_of(trial: FrozenTrial, context: TrialContext) -> Row:
    """An ended trial; one created by another program has fewer attributes."""
    known = TrialAttributes.read(trial)
    hyperparameters = trial.params if known.hyperparameters is None else known.hyperparameters
    values = [metrics[context.followed.key] for metrics in known.metrics] or list(trial.intermediate_values.values())
    return Row(
        number=trial.number,
        state=_STATES[trial.state],
        run_id=known.run_id,
        values=tuple(trial.values or ()),
        score=_score(known, context.primary),
        hyperparameters=hyperparameters,
        distributions={
            name: distribution
            for name, distribution in trial.distributions.items()  # a point by hand may lie outside
            if name in hyperparameters and contains(distribution, hyperparameters[name])
        },
        curve=tuple(takewhile(math.isfinite, values)),
        budget=known.settings.epochs if known.settings else 0,
        start=trial.datetime_start.timestamp() if trial.datetime_start else 0,
        end=trial.datetime_complete.timestamp() if trial.datetime_start and trial.datetime_complete else 0,
        error=known.error if trial.state == TrialState.FAIL else "",
    )


def _score(known: TrialAttributes, primary: Objective) -> Interval | None:
    """The primary metric by which the trial is judged, with its interval if it was trained to the end."""
    if not known.metrics:
        return None
    measures = known.measures or {}
    low, high = (measures.get(f"{primary.name}_{end}") for end in ("low", "high"))
    return Interval(measures.get(primary.name, known.metrics[-1][primary.key]), low, high)
