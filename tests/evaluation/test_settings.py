"""The settings of evaluate against the data: costs need two classes, and outputs for the validation rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steps.base.errors import InputError
from steps.datasets import Dataset, Split
from steps.datasets.request import DataRequest
from steps.datasets.tabular.target import Target
from steps.evaluation.settings import EvaluateSettings

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
