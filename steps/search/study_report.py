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
from steps.search.store.results import TrialRecord
from steps.tasks.objectives import OBJECTIVES, Objective
from steps.tracking.ui_urls import run_url

_STATES: dict[TrialState, Literal["complete", "pruned", "failed"]] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


def report(
    study: optuna.Study,
    objectives: Sequence[Objective],
    best: TrialRecord,
    reason: str,
    front: Sequence[TrialRecord],
    n_validation: int,
) -> str:
    """The HTML page of the study, for the active tune run."""
    run = mlflow.active_run()
    return study_page(
        study_name=study.study_name,
        rows=[row_of(trial, objectives) for trial in study.get_trials(deepcopy=False, states=tuple(_STATES))],
        objectives=objectives,
        best=best.trial_number,
        reason=reason,
        ahead=[record.trial_number for record in front],
        found=importances(study, objectives[0].sign),
        n_validation=n_validation,
        tune_run_id=run.info.run_id,
        run_url=partial(run_url, mlflow.get_tracking_uri(), run.info.experiment_id),
    )


def row_of(trial: FrozenTrial, objectives: Sequence[Objective]) -> Row:
    """An ended trial; what another program made of it has less to show."""
    known = TrialAttributes.read(trial)
    followed = (objectives[0] if objectives[0].every_epoch else OBJECTIVES["accuracy"]).metric
    values = [metrics[followed] for metrics in known.metrics] or list(trial.intermediate_values.values())
    return Row(
        number=trial.number,
        state=_STATES[trial.state],
        run_id=known.run_id,
        values=tuple(trial.values or ()),
        accuracy=known.metrics[-1]["val_accuracy"] if known.metrics else None,
        hyperparameters=trial.params if known.hyperparameters is None else known.hyperparameters,
        distributions=trial.distributions,
        curve=tuple(takewhile(math.isfinite, values)),
        budget=known.settings.epochs if known.settings else 0,
        start=trial.datetime_start.timestamp() if trial.datetime_start else 0,
        end=trial.datetime_complete.timestamp() if trial.datetime_start and trial.datetime_complete else 0,
        error=known.error if trial.state == TrialState.FAIL else "",
    )
