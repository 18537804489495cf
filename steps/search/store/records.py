"""Complete trials as plain records, and the selected one as the artifact `best_config.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import optuna
from optuna.trial import TrialState

from steps.search.store.attributes import TrialAttributes

ARTIFACT = "study/trials.json"  # of a tune run: its complete trials
BEST_CONFIG = "best_config.json"  # of a tune run: the selected trial


@dataclass(frozen=True)
class TrialRecord:
    """A complete trial.

    Attributes:
        measures: Values by name: the metrics on the validation split, `parameters` and, if it was an objective,
            `latency`.
        epochs: Number of epochs after which the trial is judged.
        max_epochs: Epochs over which its learning rate runs its course.
    """

    trial_number: int
    trial_run_id: str
    hyperparameters: Mapping[str, Any]
    measures: Mapping[str, float]
    epochs: int
    max_epochs: int


@dataclass(frozen=True)
class SelectedTrial(TrialRecord):
    """The trial that stands for a study, with all that `evaluate` needs.

    Attributes:
        study: Name of the study.
        selected: Why it is this one.
        dataset: Name of the data set.
        data_run_id: Run of the step `download`.
    """

    study: str
    selected: str
    dataset: str
    data_run_id: str

    def of_record(self, record: TrialRecord, reason: str) -> Self:
        """Another trial of the same study."""
        own = {field.name: getattr(record, field.name) for field in fields(TrialRecord)}
        return type(self)(**{**vars(self), **own, "selected": reason})

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        return cls(**json.loads(text))


def to_json(records: Sequence[TrialRecord]) -> str:
    return json.dumps([asdict(record) for record in records], indent=2) + "\n"


def from_json(text: str | bytes) -> list[TrialRecord]:
    return [TrialRecord(**entry) for entry in json.loads(text)]


def records_of(study: optuna.Study) -> list[TrialRecord]:
    """The complete trials, in the order of their numbers; those that another program made are left out."""
    records = []
    for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        known = TrialAttributes.read(trial)
        if known.hyperparameters is not None and known.measures is not None and known.settings is not None:
            epochs = known.epochs, known.settings.epochs
            records.append(TrialRecord(trial.number, known.run_id, known.hyperparameters, known.measures, *epochs))
    return records
