"""The Optuna study: created, or opened again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import RDBStorage

from steps.errors import InputError
from steps.mlp.objectives import Objective

OBJECTIVES_ATTRIBUTE = "objectives"  # user attribute of the study
SamplerFactory = Callable[[int], BaseSampler]


def open_study(
    storage: RDBStorage, name: str, objectives: Sequence[Objective], make_sampler: SamplerFactory, pruner: BasePruner
) -> optuna.Study:
    """Create the study `name`, or continue it.

    Args:
        make_sampler: From the number of trials that the study has.

    Raises:
        InputError: The study has other objectives.
    """
    known = {summary.study_name for summary in optuna.get_all_study_summaries(storage, include_best_trial=False)}
    names = [objective.name for objective in objectives]
    n_done = 0
    if name in known:
        earlier = optuna.load_study(study_name=name, storage=storage)
        n_done = len(earlier.get_trials(deepcopy=False))
        before = earlier.user_attrs.get(OBJECTIVES_ATTRIBUTE, names)
        if before != names:
            raise InputError(
                f"objectives must stay those of the study {name} ({','.join(before)}), got {','.join(names)}; "
                "take another study_name"
            )
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        directions=[objective.direction for objective in objectives],
        load_if_exists=True,
        sampler=make_sampler(n_done),
        pruner=pruner,
    )
    study.set_user_attr(OBJECTIVES_ATTRIBUTE, names)
    if len(names) > 1:
        study.set_metric_names(names)
    return study
