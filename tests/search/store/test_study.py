from __future__ import annotations

import optuna
import pytest
from optuna.pruners import NopPruner
from optuna.samplers import RandomSampler
from optuna.storages import InMemoryStorage

from steps.base.errors import InputError, StepError
from steps.datasets.tabular.target import Target
from steps.search.store.study import expecting_study, open_study
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


def test_a_study_that_is_deleted_while_it_is_used_is_named() -> None:
    storage = InMemoryStorage()
    study = opened(storage, "accuracy")
    with pytest.raises(KeyError, match="mine"), expecting_study(storage, "study"):
        raise KeyError("mine")  # of something else: the study is there
    for use in (study.ask, study.get_trials, lambda: study.set_user_attr("a", 1)):
        if study.study_name in optuna.get_all_study_names(storage):
            optuna.delete_study(study_name="study", storage=storage)
        with pytest.raises(StepError, match=r"^the study study was deleted"), expecting_study(storage, "study"):
            use()
