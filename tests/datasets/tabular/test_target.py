"""The target survives its JSON, and names its positive class."""

from __future__ import annotations

import json

import pytest

from steps.datasets.tabular.decision import Costs, Decision
from steps.datasets.tabular.sets import PredictionSets
from steps.datasets.tabular.target import Target


@pytest.mark.parametrize(
    "target",
    [
        Target("classification", "churn", ("no", "yes"), "yes", why="words"),
        Target("classification", "churn", ("no", "yes"), "yes", decision=Decision(0.2, Costs(1, 5))),
        Target("classification", "letter", ("a", "b", "c"), sets=PredictionSets((0.5, 0.25))),
        Target(
            "regression",
            "price",
            low=0.1,
            high=1e9,
            mean=1 / 3,
            std=2.5,
            is_skewed=True,
            log_mean=2.0,
            log_std=0.5,
            why="numbers",
        ),
    ],
)
def test_a_target_is_equal_after_json(target: Target) -> None:
    assert Target.from_json(json.loads(json.dumps(target.to_json()))) == target


def test_a_target_before_its_model_is_written_as_before_there_were_decisions_and_sets() -> None:
    assert {"decision", "sets"}.isdisjoint(Target("classification", "churn", ("no", "yes"), "yes").to_json())


def test_of_two_classes_one_is_positive() -> None:
    assert Target("classification", class_names=("no", "yes")).positive == 1
    assert Target("classification", class_names=("no", "yes"), positive_class="no").positive == 0
    assert Target("classification", class_names=("a", "b", "c")).positive is None
    assert Target("regression").positive is None
