"""The Optuna study: what suggests, what prunes."""

from __future__ import annotations

import optuna
from optuna.storages import RDBStorage

from steps.search.pruners import make_pruner
from steps.search.samplers import make_sampler


def open_study(storage: RDBStorage, name: str, sampler: str, pruner: str, seed: int, max_epochs: int) -> optuna.Study:
    """Create the study `name`, or continue it: what it has counts, and the seed moves on."""
    known = {summary.study_name for summary in optuna.get_all_study_summaries(storage, include_best_trial=False)}
    n_done = len(optuna.load_study(study_name=name, storage=storage).trials) if name in known else 0
    return optuna.create_study(
        storage=storage,
        study_name=name,
        direction="maximize",
        load_if_exists=True,
        sampler=make_sampler(sampler, seed, n_done),
        pruner=make_pruner(pruner, max_epochs),
    )
