"""The Optuna study: created, or opened again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage

from steps.base.errors import InputError, StepError
from steps.search.store.attributes import OBJECTIVES
from steps.tasks.objectives import Objective


def open_study(
    storage: BaseStorage, name: str, objectives: Sequence[Objective], sampler: BaseSampler, pruner: BasePruner
) -> optuna.Study:
    """Create the study `name`, or continue it.

    Raises:
        InputError: The study has other objectives, or other directions.
    """
    names = [objective.name for objective in objectives]
    if name in optuna.get_all_study_names(storage):
        _check_objectives(optuna.load_study(study_name=name, storage=storage), objectives)
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        directions=[objective.direction for objective in objectives],
        load_if_exists=True,
        sampler=sampler,
        pruner=pruner,
    )
    study.set_user_attr(OBJECTIVES, names)
    if len(names) > 1:
        study.set_metric_names(names)
    return study


@contextmanager
def expecting_study(storage: BaseStorage, name: str) -> Iterator[None]:
    """Say in one line that a study was deleted, for example by `optuna delete-study`, while the block used it.

    Raises:
        StepError: The study is not in its database any more.
    """
    try:
        yield
    except KeyError as error:  # Optuna's, for a record that does not exist
        if name in optuna.get_all_study_names(storage):
            raise
        raise StepError(f"the study {name} was deleted from its database while it ran") from error


def _check_objectives(study: optuna.Study, objectives: Sequence[Objective]) -> None:
    """Return whether a study optimizes these objectives; one of another program has only its directions."""
    names, name = [objective.name for objective in objectives], study.study_name
    before = study.user_attrs.get(OBJECTIVES, names)
    if before != names:
        raise InputError(
            f"objectives must stay those of the study {name} ({','.join(before)}), got {','.join(names)}; "
            "take another study_name"
        )
    wanted = [objective.direction for objective in objectives]
    found = [direction.name.lower() for direction in study.directions]
    if found != wanted:
        raise InputError(
            f"study_name must be a study whose directions are {', '.join(wanted)} for {', '.join(names)}, "
            f"got {name!r}, which has {', '.join(found)}; take another study_name"
        )
