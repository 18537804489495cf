from __future__ import annotations

from dataclasses import replace

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from steps.base.errors import InputError
from steps.datasets.tabular.target import Target
from steps.search.selection import by_number, default_of, nothing_complete, pareto_front, select
from steps.search.space.file import load_space, space_path
from steps.search.store.attributes import TrialAttributes
from steps.search.store.records import SelectedTrial, TrialRecord, from_json, to_json
from steps.tasks.classification.task import Classification
from steps.tasks.comparison import Comparison
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
    chosen, why = select(RECORDS, objectives_of(objectives.split(","), TASK), ACCURACY, None, lambda *_: None)
    assert chosen.trial_number == number
    assert why.startswith(reason)


def test_the_best_trial_has_to_be_told_apart_from_the_default() -> None:
    targets = np.zeros(1000, np.int32)

    def wrong(n: int) -> np.ndarray:  # outputs (1000, 3), which predict another class for the last rows
        return np.eye(3)[np.repeat([0, 1], [1000 - n, n])]

    def chosen(objective: str, default: int, wrong_rows: dict[int, int]) -> tuple[int, str]:
        def compare(*records: TrialRecord) -> Comparison | None:
            if any(record.trial_number not in wrong_rows for record in records):
                return None
            return TASK.compare(targets, *(wrong(wrong_rows[record.trial_number]) for record in records))

        record, why = select(RECORDS, objectives_of([objective], TASK), ACCURACY, RECORDS[default], compare)
        return record.trial_number, why

    number, why = chosen("accuracy", 0, {0: 30, 1: 28})
    assert number == 0
    assert why == (
        "the default of the space, as the lead of the best validation accuracy, 0.9720 of trial-001, may be chance "
        "(exact McNemar test: p = 0.5)"
    )
    assert chosen("accuracy", 0, {0: 30, 1: 20}) == (1, "the best validation accuracy, 0.9720")  # p = 0.002
    assert chosen("accuracy", 0, {0: 20, 1: 30})[0] == 0  # ahead in the mean of folds, and behind in their rows
    assert chosen("accuracy", 1, {1: 30})[0] == 1  # the default is the best
    assert chosen("accuracy", 4, {}) == (4, "the best validation accuracy, 0.9720")  # as good as the best
    assert chosen("accuracy", 0, {1: 28})[0] == 1  # its outputs are not kept
    assert chosen("log_loss", 0, {0: 30, 2: 28})[0] == 2  # there is no test for it


def test_the_default_is_found_by_its_hyperparameters() -> None:
    space = load_space(space_path("image"))
    other = replace(RECORDS[0], hyperparameters=space.complete({"dropout": 0.3}))
    default = replace(RECORDS[1], hyperparameters=space.complete({}))
    assert default_of([other, default], space) is default
    assert default_of([default, replace(default, trial_number=7)], space).trial_number == 7
    assert default_of([other], space) is None
    assert default_of([default], load_space(space_path("small"))) is None  # it has none


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
