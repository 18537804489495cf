from __future__ import annotations

import pytest

from steps.base.errors import InputError
from steps.datasets.tabular.target import Target
from steps.tasks.classification.task import Classification
from steps.tasks.metric import Interval
from steps.tasks.regression.task import Regression
from steps.tasks.requirements import Requirement, check_names, check_requirements, parse_requirements

TASK = Classification(Target("classification", class_names=("cat", "dog", "eel")))


def test_bounds_are_read_and_inclusive() -> None:
    found = parse_requirements("accuracy>=0.9, log_loss<=5e-1")
    assert found == (Requirement("accuracy", ">=", 0.9), Requirement("log_loss", "<=", 0.5))
    check_names(found, TASK)
    kept = check_requirements(found, TASK, {"accuracy": Interval(0.9), "log_loss": Interval(0.5)})
    assert [check.passed for check in kept] == [True, True]
    broken = check_requirements(found, TASK, {"accuracy": Interval(0.8999), "log_loss": Interval(0.6)})
    assert [(check.name, check.passed, check.detail) for check in broken] == [
        ("require_accuracy", False, "test accuracy 0.8999 is below 0.9"),
        ("require_log_loss", False, "test log loss 0.6000 is above 0.5"),
    ]
    assert parse_requirements("") == ()


@pytest.mark.parametrize("text", ["accuracy", "accuracy>0.9", ">=0.9", "accuracy>=high", "accuracy>=0.9;recall>=0.5"])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"require must be of the form accuracy>=0\.9"):
        parse_requirements(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rmse<=500", r"metrics of classification \(accuracy, log_loss, .*\), got 'rmse<=500'"),
        ("recall>=95", r"recall by a number from 0 to 1, got 'recall>=95'"),
        ("log_loss<=-1", r"log_loss by a number of at least 0, got 'log_loss<=-1'"),
    ],
)
def test_what_the_task_cannot_measure_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        check_names(parse_requirements(text), TASK)


def test_numbers_with_a_unit_are_bounded_in_that_unit() -> None:
    task = Regression(Target("regression"))
    (given,) = parse_requirements("rmse<=45000")
    check_names((given,), task)
    assert str(given) == "rmse<=45000"
    (check,) = check_requirements((given,), task, {"rmse": Interval(45678.9)})
    assert (check.passed, check.detail) == (False, "test RMSE 45,679 is above 45,000")
    with pytest.raises(InputError, match=r"r2 by a number of at most 1, got 'r2>=90'"):
        check_names(parse_requirements("r2>=90"), task)
