from __future__ import annotations

import pytest

from steps.base.errors import InputError
from steps.datasets.tabular.target import Target
from steps.tasks.classification.task import Classification
from steps.tasks.objectives import followed, judged_by, objectives_of
from steps.tasks.regression.task import Regression

TASK = Classification(Target("classification", class_names=("cat", "dog", "eel")))


def test_metrics_of_the_task_and_costs_are_objectives() -> None:
    accuracy, loss, latency = objectives_of(["accuracy", "log_loss", "latency"], TASK)
    assert (accuracy.key, accuracy.label, accuracy.sign) == ("val_accuracy", "validation accuracy", -1)
    assert (loss.key, loss.direction) == ("val_log_loss", "minimize")
    assert (latency.key, latency.every_epoch) == ("latency_ms", False)
    assert objectives_of(["auto"], TASK) == (accuracy,)
    assert followed([latency, loss], TASK) == accuracy
    assert followed([loss, latency], TASK) == loss


def test_the_best_epoch_is_that_of_the_log_loss_or_of_the_objective_of_numbers() -> None:
    (accuracy,) = objectives_of(["accuracy"], TASK)
    assert judged_by([accuracy], TASK).name == "log_loss"
    numbers = Regression(Target("regression"))
    for name in ("rmse", "mae"):
        assert judged_by(objectives_of([name], numbers), numbers).name == name


def test_an_unknown_objective_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"accuracy, log_loss, .*, latency, parameters.* got 'rmse'"):
        objectives_of(["accuracy", "rmse"], TASK)
