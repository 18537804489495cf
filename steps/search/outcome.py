"""The outcome of a study, written onto the tune run: best_config.json, pareto.json, study/*, figures/, report.html."""

from __future__ import annotations

import csv
import json
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mlflow
import numpy as np
import optuna
from mlflow.exceptions import MlflowException

from steps.base.errors import InputError
from steps.base.redaction import redact
from steps.report.study.result import RESULT
from steps.search.drawing import REPORT, draw
from steps.search.selection import Compare, default_of, pareto_front, ranked, select
from steps.search.store.attributes import NOT_FOR_READERS
from steps.search.store.outputs import N_KEPT, read_outputs
from steps.search.store.records import ARTIFACT, BEST_CONFIG, SelectedTrial, TrialRecord, records_of, to_json
from steps.search.study_report import result_of
from steps.search.trials.context import TrialContext
from steps.search.trials.workers import count_states
from steps.tasks.comparison import Comparison
from steps.tasks.objectives import Objective
from steps.tasks.optimism import expected_of_best
from steps.tracking.descriptions import run_link, step_description
from steps.tracking.lineage import trial_name
from steps.tracking.retry import first_line
from steps.tracking.tags import NOTE_TAG

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """The selected trial, the reason for it and, with several objectives, the Pareto front.

    Attributes:
        is_best: Whether it is the best trial of a single objective.
        primary: The primary metric of the task.
        expected: Its value to be expected on rows that have not selected the trial; None if it is not known.
    """

    selected: TrialRecord
    reason: str
    is_best: bool
    front: list[TrialRecord]
    primary: Objective
    expected: float | None


def log_outcome(study: optuna.Study, context: TrialContext, data_run_id: str) -> Outcome | None:
    """Write the outcome so far onto the active run; None if no trial is complete."""
    objectives = context.objectives
    records = records_of(study)
    mlflow.log_metrics(count_states(study.get_trials(deepcopy=False)))
    outcome = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "study").mkdir()
        hidden = [f"user_attrs_{name}" for name in NOT_FOR_READERS]
        table = study.trials_dataframe().drop(columns=hidden, errors="ignore")
        table.to_csv(folder / "study" / "trials.csv", index=False)
        (folder / ARTIFACT).write_text(to_json(records), encoding="utf-8")
        if records:
            default = default_of(records, context.space)
            selected, reason = select(records, objectives, context.primary, default, _comparing(context))
            front = pareto_front(records, objectives) if len(objectives) > 1 else []
            is_best = not front and selected is ranked(records, objectives[0])[0]
            expected = _expected(records, context) if is_best and objectives[0] == context.primary else None
            outcome = Outcome(selected, reason, is_best, front, context.primary, expected)
            mlflow.log_params({f"best_{name}": value for name, value in selected.hyperparameters.items()})
            shown = {objective.key: objective for objective in (context.primary, *objectives)}
            mlflow.log_metrics({f"best_{key}": selected.measures[o.name] for key, o in shown.items()})
            if expected is not None:
                mlflow.log_metric(f"best_{context.primary.key}_expected", expected)
            record = SelectedTrial(
                **vars(selected), study=study.study_name, selected=reason,
                dataset=context.dataset.name, data_run_id=data_run_id,
            )  # fmt: skip
            (folder / BEST_CONFIG).write_text(record.to_json(), encoding="utf-8")
            mlflow.set_tag(NOTE_TAG, step_description("tune", _found(record, context.primary)))
            if front:
                _write_front(front, objectives, folder)
        found = (outcome.selected, outcome.reason, outcome.front, outcome.expected) if outcome else (None, "", (), None)
        (folder / REPORT).write_bytes(RESULT.dump_json(result_of(study, context, data_run_id, *found)))
        mlflow.log_artifacts(name)
    draw(mlflow.active_run())  # only after the result is saved
    return outcome


def _comparing(context: TrialContext) -> Compare:
    """Comparison of two trials by the task's paired test on the validation rows of all folds."""

    def compare(challenger: TrialRecord, champion: TrialRecord) -> Comparison | None:
        outputs = _outputs([challenger, champion])
        return context.task.compare(np.concatenate(_targets(context)), *outputs) if len(outputs) == 2 else None

    return compare


def _expected(records: Sequence[TrialRecord], context: TrialContext) -> float | None:
    """The score to be expected of the best trial on new rows; None without the outputs of others to compare with."""
    outputs = _outputs(ranked(records, context.primary)[:N_KEPT])
    if len(outputs) < 2:
        return None
    return expected_of_best(context.task.primary, _targets(context), np.stack(outputs))


def _outputs(records: Sequence[TrialRecord]) -> list[np.ndarray]:
    """The outputs for the validation rows of those trials that have kept them; none if one cannot be read."""
    try:
        found = [read_outputs(record.trial_run_id) for record in records]
    except (InputError, MlflowException, OSError) as error:
        logger.warning("The trials could not be compared: %s", redact(first_line(error)))
        return []
    return [outputs for outputs in found if outputs is not None]


def _targets(context: TrialContext) -> list[np.ndarray]:
    """The targets of the validation rows of each fold."""
    return [np.asarray(validation.targets) for _, validation in context.dataset.folds]


def _found(best: SelectedTrial, primary: Objective) -> str:
    """The selected trial, for the note of the tune run."""
    link = run_link(trial_name(best.trial_number), mlflow.active_run().info.experiment_id, best.trial_run_id)
    return f"Selected: {link}, {best.selected}; {primary.label} **{primary.text(best.measures[primary.name])}**."


def _write_front(front: Sequence[TrialRecord], objectives: Sequence[Objective], folder: Path) -> None:
    """`pareto.json` for programs, `pareto.csv` as a table; the best of the first objective first."""
    names = [objective.name for objective in objectives]
    (folder / "pareto.json").write_text(
        json.dumps({"objectives": names, "front": json.loads(to_json(front))}, indent=2) + "\n", encoding="utf-8"
    )
    hyperparameters = list(dict.fromkeys(name for record in front for name in record.hyperparameters))
    with (folder / "pareto.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["trial", *names, *hyperparameters])
        table.writeheader()
        for record in front:
            values = {name: record.measures[name] for name in names}
            table.writerow({"trial": record.trial_number, **values, **record.hyperparameters})
