"""The settings of evaluate against the data: costs need two classes, and outputs for the validation rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steps.base.errors import InputError
from steps.datasets import Dataset, Split
from steps.datasets.request import DataRequest
from steps.datasets.tabular.target import Target
from steps.evaluation.settings import EvaluateSettings
from steps.search.store.records import TrialRecord

OPTIONS: dict[str, Any] = {
    "tune_run_id": "", "select": "auto", "ensemble": 1, "final_epochs": 0, "model_name": "m", "require": "",
    "costs": "fp:1,fn:5", "alpha": 0.05, "promote": "never", "precision": "float32", "seed": 0,
}  # fmt: skip
CHURN = Target("classification", "churn", ("no", "yes"), "yes")


def data(target: Target) -> Dataset:
    split = Split(np.zeros((2, 1), np.float32), np.zeros(2, np.float32))
    return Dataset("made up", {"train": split}, target, DataRequest("made up"), source="made up")


@pytest.mark.parametrize(
    ("target", "given"),
    [
        (Target("regression", "price"), "numbers"),
        (Target("classification", "letter", ("a", "b", "c")), "3 classes"),
    ],
)
def test_costs_without_two_classes_are_refused(target: Target, given: str) -> None:
    with pytest.raises(InputError) as refused:
        EvaluateSettings.parse(**OPTIONS).registered_name(data(target))
    assert str(refused.value) == f"costs must be empty unless the target has two classes, got fp:1,fn:5 for {given}"


def test_a_cost_can_be_required_if_errors_have_costs(tracking: Path) -> None:
    require = {"require": "cost<=0.3"}
    assert EvaluateSettings.parse(**{**OPTIONS, **require}).registered_name(data(CHURN)) == "m"
    with pytest.raises(InputError, match="require must name metrics of classification"):
        EvaluateSettings.parse(**{**OPTIONS, **require, "costs": ""}).registered_name(data(CHURN))


def test_without_validation_outputs_there_is_no_threshold() -> None:
    with pytest.raises(
        InputError, match=r"kept no validation outputs, got fp:1,fn:5; select one of the 16 best trials"
    ):
        EvaluateSettings.parse(**OPTIONS).decision(CHURN, None)
    assert EvaluateSettings.parse(**{**OPTIONS, "costs": ""}).decision(CHURN, None) is None


@pytest.mark.parametrize(
    ("batch_size", "max_epochs", "expected"),
    [(512, 10, 100), (256, 10, 100), (128, 10, 71), (64, 10, 50), (64, 200, 200)],
)
def test_the_final_training_on_images_is_shorter_with_small_batches(
    batch_size: int, max_epochs: int, expected: int
) -> None:
    images = replace(data(CHURN), image_shape=(1, 1))
    trial = TrialRecord(0, "e" * 32, {"batch_size": batch_size}, measures={}, epochs=10, max_epochs=max_epochs)
    assert EvaluateSettings.parse(**OPTIONS).budget(images, trial).epochs == expected
    given = EvaluateSettings.parse(**{**OPTIONS, "final_epochs": 7})
    assert given.budget(images, trial).epochs == 7


@pytest.mark.parametrize(
    ("augmentation", "epochs", "alike"),
    [("none", 5, True), ("none", 6, False), ("affine", 20, True), ("affine", 21, False)],
)
def test_a_much_longer_training_makes_a_network_surer(augmentation: str, epochs: int, alike: bool) -> None:
    trial = TrialRecord(0, "e" * 32, {"augmentation": augmentation}, measures={}, epochs=1, max_epochs=1)
    settings = EvaluateSettings.parse(**{**OPTIONS, "final_epochs": epochs})
    assert settings.trains_alike(data(CHURN), trial) == alike
