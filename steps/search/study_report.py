"""The trials of a study, as its report shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import takewhile
from typing import Literal

import mlflow
import optuna
from optuna.trial import FrozenTrial, TrialState

from steps.report.findings import Row
from steps.report.importance import importances
from steps.report.study_page import study_page
from steps.search.store.attributes import TrialAttributes
from steps.search.store.records import TrialRecord
from steps.search.trials.context import TrialContext
from steps.tracking.ui_urls import run_url

_STATES: dict[TrialState, Literal["complete", "pruned", "failed"]] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


def report(
    study: optuna.Study,
    context: TrialContext,
    best: TrialRecord,
    reason: str,
    front: Sequence[TrialRecord],
) -> str:
    """The HTML page of the study, for the active tune run."""
    run = mlflow.active_run()
    return study_page(
        study_name=study.study_name,
        rows=[row_of(trial, context) for trial in study.get_trials(deepcopy=False, states=tuple(_STATES))],
        objectives=context.objectives,
        task=context.task,
        best=best.trial_number,
        reason=reason,
        ahead=[record.trial_number for record in front],
        found=importances(study, context.objectives[0].sign),
        n_validation=len(context.dataset.splits["validation"]),
        tune_run_id=run.info.run_id,
        run_url=partial(run_url, mlflow.get_tracking_uri(), run.info.experiment_id),
    )


def row_of(trial: FrozenTrial, context: TrialContext) -> Row:
    """An ended trial; what another program made of it has less to show."""
    known = TrialAttributes.read(trial)
    values = [metrics[context.followed.key] for metrics in known.metrics] or list(trial.intermediate_values.values())
    return Row(
        number=trial.number,
        state=_STATES[trial.state],
        run_id=known.run_id,
        values=tuple(trial.values or ()),
        score=known.metrics[-1][context.primary.key] if known.metrics else None,
        hyperparameters=trial.params if known.hyperparameters is None else known.hyperparameters,
        distributions=trial.distributions,
        curve=tuple(takewhile(math.isfinite, values)),
        budget=known.settings.epochs if known.settings else 0,
        start=trial.datetime_start.timestamp() if trial.datetime_start else 0,
        end=trial.datetime_complete.timestamp() if trial.datetime_start and trial.datetime_complete else 0,
        error=known.error if trial.state == TrialState.FAIL else "",
    )
