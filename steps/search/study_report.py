"""The report of a tune run: its content as an artifact, and the pages and figures that are drawn from it."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Literal

import mlflow
import optuna
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from optuna.trial import FrozenTrial, TrialState

from steps.report.study.draw import draw_study
from steps.report.study.result import Row, StudyResult
from steps.search.store.attributes import TrialAttributes
from steps.search.store.records import TrialRecord
from steps.search.trials.context import TrialContext
from steps.tasks.task import Task
from steps.tracking.runs import artifact_path
from steps.tracking.ui_urls import run_url

ARTIFACT = "study/report.json"  # of a tune run: all that its report shows
_STATES: dict[TrialState, Literal["complete", "pruned", "failed"]] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


def result_of(
    study: optuna.Study, context: TrialContext, best: TrialRecord | None, reason: str, front: Sequence[TrialRecord]
) -> StudyResult:
    """All that the report shows.

    Args:
        best: The selected trial; None if no trial is complete.
        reason: Why it is that one.
    """
    trials = study.get_trials(deepcopy=False, states=tuple(_STATES))
    return StudyResult(
        study.study_name,
        context.objectives,
        context.task,
        len(context.dataset.splits["validation"]),
        tuple(row_of(trial, context) for trial in trials),
        best.trial_number if best else None,
        reason,
        tuple(record.trial_number for record in front),
    )


def draw(run: Run, task: Task) -> None:
    """Draw the report and the figures of a tune run from its artifact `study/report.json`, and log them onto it.

    Raises:
        InputError: The run has no such artifact.
    """
    run_id = run.info.run_id
    result = StudyResult.from_json(artifact_path(run_id, ARTIFACT).read_text(encoding="utf-8"), task)
    with tempfile.TemporaryDirectory() as folder:
        draw_study(result, Path(folder), run_id, partial(run_url, mlflow.get_tracking_uri(), run.info.experiment_id))
        MlflowClient().log_artifacts(run_id, folder)


def row_of(trial: FrozenTrial, context: TrialContext) -> Row:
    """An ended trial; one that another program made has less to show."""
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
