from __future__ import annotations

import optuna
import pytest
from optuna.pruners import NopPruner
from optuna.samplers import RandomSampler
from optuna.storages import InMemoryStorage

from steps.base.errors import InputError
from steps.datasets.tabular.target import Target
from steps.search.store.study import open_study
from steps.tasks.classification.task import Classification
from steps.tasks.objectives import objectives_of

TASK = Classification(Target("classification", class_names=("cat", "dog")))


def opened(storage: InMemoryStorage, *objectives: str) -> optuna.Study:
    return open_study(storage, "study", objectives_of(objectives, TASK), RandomSampler(), NopPruner())


@pytest.mark.parametrize(
    ("directions", "objectives", "message"),
    [
        (["minimize"], ["accuracy"], "directions are maximize for accuracy, got 'study', which has minimize"),
        (["maximize"], ["log_loss"], "directions are minimize for log_loss, got 'study', which has maximize"),
        (["maximize", "minimize"], ["accuracy"], "got 'study', which has maximize, minimize"),
        (["maximize"], ["accuracy", "parameters"], "directions are maximize, minimize for accuracy, parameters"),
        (["minimize", "maximize"], ["accuracy", "parameters"], "which has minimize, maximize"),
    ],
)
def test_a_study_with_other_directions_is_refused(directions: list[str], objectives: list[str], message: str) -> None:
    storage = InMemoryStorage()
    optuna.create_study(storage=storage, study_name="study", directions=directions)
    with pytest.raises(InputError, match=message):
        opened(storage, *objectives)
    assert optuna.load_study(storage=storage, study_name="study").user_attrs == {}


def test_equal_directions_of_other_objectives_are_refused_too() -> None:
    storage = InMemoryStorage()
    opened(storage, "accuracy")
    with pytest.raises(InputError, match=r"stay those of the study study \(accuracy\), got f1_macro"):
        opened(storage, "f1_macro")


def test_a_study_that_was_made_by_hand_for_the_same_aim_is_continued() -> None:
    storage = InMemoryStorage()
    optuna.create_study(storage=storage, study_name="study", direction="maximize").enqueue_trial({"n_layers": 1})
    assert len(opened(storage, "accuracy").trials) == 1
