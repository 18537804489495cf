"""What a study has found, written onto the tune run: best_config.json, pareto.json, study/*, figures/, report.html."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import optuna
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from steps.report.format import percent
from steps.report.study_figures import save_study_figures
from steps.search.store.attributes import NOT_FOR_READERS
from steps.search.store.records import records_of
from steps.search.store.results import ARTIFACT, TrialRecord, pareto_front, select, to_json
from steps.search.study_report import report
from steps.search.trials.context import TrialContext
from steps.search.trials.workers import count_states
from steps.tasks.objectives import OBJECTIVES, Objective
from steps.tracking.descriptions import run_link, step_description


@dataclass(frozen=True)
class Outcome:
    """The trial that stands for the study, why, and with several objectives the Pareto front."""

    best: TrialRecord
    reason: str
    front: list[TrialRecord]


def log_outcome(study: optuna.Study, context: TrialContext, data_run_id: str) -> Outcome | None:
    """Write what the study has found so far onto the active run; None where no trial is complete."""
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
        (folder / ARTIFACT).write_text(to_json(records))
        (folder / "figures").mkdir()
        if records:
            best, reason = select(records, objectives)
            front = pareto_front(records, objectives) if len(objectives) > 1 else []
            outcome = Outcome(best, reason, front)
            mlflow.log_params({f"best_{name}": value for name, value in best.hyperparameters.items()})
            mlflow.log_metrics(_best_metrics(best, objectives))
            config = best_config(best, reason, study.study_name, context.dataset.name, data_run_id, context.epochs)
            (folder / "best_config.json").write_text(json.dumps(config, indent=2) + "\n")
            mlflow.set_tag(MLFLOW_RUN_NOTE, step_description("tune", _found(best, reason)))
            if front:
                _write_front(front, objectives, folder)
            page = report(study, objectives, best, reason, front, len(context.dataset.splits["validation"].labels))
            (folder / "report.html").write_text(page, encoding="utf-8")
        save_study_figures(study, folder / "figures", objectives, outcome.best.trial_number if outcome else None)
        mlflow.log_artifacts(name)
    return outcome


def _found(best: TrialRecord, reason: str) -> str:
    """The selected trial, for the note of the tune run."""
    link = run_link(f"trial-{best.trial_number:03d}", mlflow.active_run().info.experiment_id, best.trial_run_id)
    return f"Selected: {link}, {reason}; validation accuracy **{percent(best.measures['accuracy'])}**."


def best_config(
    record: TrialRecord, reason: str, study_name: str, dataset_name: str, data_run_id: str, max_epochs: int
) -> dict[str, Any]:
    """What `evaluate` needs of a trial."""
    return {
        "study": study_name,
        "trial_number": record.trial_number,
        "trial_run_id": record.trial_run_id,
        "selected": reason,
        "val_accuracy": record.measures["accuracy"],
        "measures": record.measures,
        "max_epochs": max_epochs,
        "dataset": dataset_name,
        "data_run_id": data_run_id,
        "hyperparameters": record.hyperparameters,
    }


def _best_metrics(best: TrialRecord, objectives: Sequence[Objective]) -> dict[str, float]:
    """`best_val_accuracy`, and the selected trial's value of each objective."""
    shown = [OBJECTIVES["accuracy"], *objectives]
    return {f"best_{objective.metric}": best.measures[objective.name] for objective in shown}


def _write_front(front: Sequence[TrialRecord], objectives: Sequence[Objective], folder: Path) -> None:
    """`pareto.json` for programs, `pareto.csv` as a table; the best of the first objective first."""
    names = [objective.name for objective in objectives]
    (folder / "pareto.json").write_text(
        json.dumps({"objectives": names, "front": json.loads(to_json(front))}, indent=2) + "\n"
    )
    hyperparameters = list(dict.fromkeys(name for record in front for name in record.hyperparameters))
    with (folder / "pareto.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["trial", *names, *hyperparameters])
        table.writeheader()
        for record in front:
            values = {name: record.measures[name] for name in names}
            table.writerow({"trial": record.trial_number, **values, **record.hyperparameters})
