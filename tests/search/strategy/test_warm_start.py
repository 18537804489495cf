from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest

from steps.datasets.tabular.target import Target
from steps.search.space.file import load_space
from steps.search.space.space import Space
from steps.search.store.records import TrialRecord
from steps.search.strategy.warm_start import N_BEST, enqueue_starts, starts
from steps.tasks.classification.task import Classification
from steps.tasks.objectives import objectives_of

PETS = Target("classification", class_names=("cat", "dog", "eel"))
ACCURACY, LOG_LOSS, LATENCY = objectives_of(["accuracy", "log_loss", "latency"], Classification(PETS))


@pytest.fixture
def space(tmp_path: Path) -> Space:
    (tmp_path / "space.yaml").write_text(
        "n_layers: {type: int, low: 1, high: 2}\nunits: {type: int, low: 64, high: 256, step: 64, repeat: n_layers}\n"
        "optimizer: {type: categorical, choices: [adam, sgd]}\nbatch_size: {type: categorical, choices: [64, 128]}\n"
        "momentum: {type: float, low: 0.8, high: 0.9, when: {optimizer: sgd}}\ndropout: 0.2\n"
    )
    return load_space(tmp_path / "space.yaml")


def record(number: int, accuracy: float, **hyperparameters: Any) -> TrialRecord:
    given = {"n_layers": 1, "units_0": 64, "optimizer": "adam", "batch_size": 64, "dropout": 0.2, **hyperparameters}
    measures = {"accuracy": accuracy, "log_loss": accuracy, "parameters": 1.0}
    return TrialRecord(number, "run", given, measures, 8, 10)


def test_values_are_moved_inside_and_said(space: Space) -> None:
    given = record(
        3, 0.9, n_layers=3, units_0=700, units_1=100, units_2=9, optimizer="sgd", momentum=0.5, batch_size=512,
        dropout=0.4, activation="relu",
    )  # fmt: skip
    (start,) = starts([given], [ACCURACY], space)
    assert start.point == {
        "n_layers": 2, "units_0": 256, "units_1": 128, "optimizer": "sgd", "batch_size": 128, "momentum": 0.8,
        "dropout": 0.2,
    }  # fmt: skip
    assert start.moved == [
        "n_layers 3 -> 2", "units_0 700 -> 256", "units_1 100 -> 128", "batch_size 512 -> 128", "momentum 0.5 -> 0.8",
        "dropout 0.4 -> 0.2", "activation left out",
    ]  # fmt: skip


def test_the_best_distinct_ones_come_first(space: Space) -> None:
    units = [64, 128, 128, 192, 256, 70]
    records = [record(i, 0.9 + i / 100, units_0=n, optimizer=o) for i, (n, o) in enumerate(
        (n, o) for o in ("adam", "sgd") for n in units
    )]  # fmt: skip
    found = starts(records, [ACCURACY], space)
    assert [start.trial_number for start in found] == [11, 10, 9, 8, 5]
    assert len(found) == N_BEST
    assert starts(records, [LOG_LOSS], space)[0].trial_number == 0
    assert starts(records, [LATENCY, ACCURACY], space)[0].trial_number == 11  # never measured: by the next


def test_they_are_tried_first_and_once(space: Space) -> None:
    study = optuna.create_study()
    found = starts([record(0, 0.9, units_0=70), record(1, 0.8, units_0=256)], [ACCURACY], space)
    lines = enqueue_starts(study, space, found)
    assert lines == ["trial-000 of the earlier study: units_0 70 -> 64", "trial-001 of the earlier study"]
    assert enqueue_starts(study, space, found) == []
    assert [space.suggest(study.ask())["units_0"] for _ in range(2)] == [64, 256]
    assert not study.get_trials(states=(optuna.trial.TrialState.WAITING,))


def test_what_a_sampler_tried_before_is_not_tried_again(space: Space) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    values = space.suggest(study.ask())
    found = starts([record(0, 0.9, **values)], [ACCURACY], space)
    assert enqueue_starts(study, space, found) == []
