"""Complete trials of a study, of this one or of an earlier one, as records."""

from __future__ import annotations

import re

import optuna
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from steps.base.errors import InputError
from steps.search.store.attributes import TrialAttributes
from steps.search.store.results import ARTIFACT, TrialRecord, from_json
from steps.tracking.runs import STEP_TAG, artifact_path

_RUN_ID = re.compile(r"[0-9a-f]{32}")


def records_of(study: optuna.Study) -> list[TrialRecord]:
    """The complete trials, in the order of their numbers; those that another program made are left out."""
    records = []
    for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        known = TrialAttributes.read(trial)
        if known.hyperparameters is not None and known.measures is not None:
            records.append(TrialRecord(trial.number, known.run_id, known.hyperparameters, known.measures))
    return records


def earlier_records(source: str, storage: RDBStorage) -> list[TrialRecord]:
    """The complete trials of a tune run, wherever its study is kept, or of a study in this storage.

    Args:
        source: ID of a tune run, or name of a study.

    Raises:
        InputError: Neither, or one without a complete trial.
    """
    if _RUN_ID.fullmatch(source) and _is_tune_run(source):
        records = from_json(artifact_path(source, ARTIFACT).read_text())
    elif source in (names := optuna.get_all_study_names(storage)):
        records = records_of(optuna.load_study(study_name=source, storage=storage))
    else:
        known = f"the studies here are {', '.join(sorted(names))}" if names else "there is no study here yet"
        raise InputError(f"warm_start must be the ID of a tune run or the name of a study ({known}), got {source!r}")
    if not records:
        raise InputError(f"warm_start must be a study with a complete trial, got {source!r}, which has none")
    return records


def _is_tune_run(run_id: str) -> bool:
    try:
        return bool(MlflowClient().get_run(run_id).data.tags.get(STEP_TAG) == "tune")
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return False
