from __future__ import annotations

import optuna
import pytest
from optuna.trial import TrialState

from steps.base.errors import InputError
from steps.datasets.tabular.target import Target
from steps.search.selection import by_number, nothing_complete, pareto_front, select
from steps.search.store.attributes import TrialAttributes
from steps.search.store.records import SelectedTrial, TrialRecord, from_json, to_json
from steps.tasks.classification.task import Classification
from steps.tasks.objectives import objectives_of

TASK = Classification(Target("classification", class_names=("cat", "dog", "eel")))
(ACCURACY,) = objectives_of(["accuracy"], TASK)


def record(number: int, accuracy: float, log_loss: float, latency: float, parameters: float) -> TrialRecord:
    measures = {"accuracy": accuracy, "log_loss": log_loss, "latency": latency, "parameters": parameters}
    return TrialRecord(number, f"run-{number}", {"n_layers": 1}, measures, 8, 10)


RECORDS = [
    record(0, 0.970, 0.10, 0.30, 100),
    record(1, 0.972, 0.20, 0.50, 50),
    record(2, 0.969, 0.05, 0.01, 10),
    record(3, 0.970, 0.30, 0.20, 400),
    record(4, 0.972, 0.20, 0.50, 50),
]


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ("", "none was begun and ended; a longer timeout may help"),
        ("P", "1 pruned by median, 0 failed; take pruner=none"),
        ("F", "0 pruned by median, 1 failed, the last one by another program"),
        ("FE", "0 pruned by median, 2 failed, the last one by ValueError: too wide"),
        ("PEP", "2 pruned by median, 1 failed, the last one by ValueError: too wide; take pruner=none"),
    ],
)
def test_why_nothing_is_complete(states: str, said: str) -> None:
    study = optuna.create_study()
    for letter in states:
        trial = study.ask()
        if letter == "E":
            TrialAttributes(error="ValueError: too wide").write(trial.set_user_attr)
        study.tell(trial, state=TrialState.PRUNED if letter == "P" else TrialState.FAIL)
    study.ask()
    assert said in nothing_complete(study, "median")


@pytest.mark.parametrize(
    ("objectives", "number", "reason"),
    [
        ("accuracy", 1, "the best validation accuracy, 0.9720"),
        ("log_loss", 2, "the best validation log loss, 0.0500"),
        ("parameters", 2, "the best parameters, 10"),
        (
            "accuracy,latency",
            3,
            "the cheapest (latency 0.200 ms) of 4 within 0.2 points of the best accuracy, 0.9720 (its own is 0.9700)",
        ),
        ("latency,log_loss", 3, "the cheapest (latency 0.200 ms) of 4"),
        ("accuracy,parameters", 1, "the cheapest (parameters 50) of 4"),
        ("accuracy,log_loss", 1, "the cheapest (parameters 50) of 4"),
    ],
)
def test_the_trial_that_stands_for_a_study(objectives: str, number: int, reason: str) -> None:
    chosen, why = select(RECORDS, objectives_of(objectives.split(","), TASK), ACCURACY)
    assert chosen.trial_number == number
    assert why.startswith(reason)


def test_a_trial_by_its_number() -> None:
    assert by_number(RECORDS, "3") is RECORDS[3]
    with pytest.raises(InputError, match=r"number of a complete trial \(0, 1, 2, 3, 4\), got '9'"):
        by_number(RECORDS, "9")


def test_the_pareto_front_keeps_equal_ones_and_drops_what_is_dominated() -> None:
    front = pareto_front(RECORDS, objectives_of(["accuracy", "latency"], TASK))
    assert [record.trial_number for record in front] == [1, 4, 3, 2]
    assert [r.trial_number for r in pareto_front(RECORDS, objectives_of(["log_loss", "latency"], TASK))] == [2]


def test_there_and_back() -> None:
    assert from_json(to_json(RECORDS)) == RECORDS
    best = SelectedTrial(**vars(RECORDS[1]), study="s", selected="the best", dataset="digits", data_run_id="run")
    assert SelectedTrial.from_json(best.to_json()) == best


def test_another_trial_of_a_study_brings_its_own_values() -> None:
    best = SelectedTrial(**vars(RECORDS[1]), study="s", selected="the best", dataset="digits", data_run_id="run")
    other = best.of_record(RECORDS[2], "asked for by its number")
    assert (other.trial_number, other.measures, other.selected) == (2, RECORDS[2].measures, "asked for by its number")
    assert (other.study, other.max_epochs) == ("s", 10)
