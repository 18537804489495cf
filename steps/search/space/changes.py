"""Continuing a study with another space: the changes, and whether Optuna can mix the two."""

from __future__ import annotations

import optuna
from optuna.distributions import BaseDistribution, check_distribution_compatibility

from steps.base.errors import InputError
from steps.mlp.config import without_layer
from steps.search.space.space import Space
from steps.search.store.attributes import SPACE_DIGEST, SPACE_DIMENSIONS, SPACE_TEXT


def keep_space(study: optuna.Study, space: Space) -> list[str]:
    """Store the space in the study; returns the changes since it was last stored, one line for each hyperparameter.

    Raises:
        InputError: Trials of the study cannot be mixed with this space: choices, kind or scale differ.
    """
    _check(study, space)
    dimensions = {dimension.name: dimension.describe() for dimension in space.dimensions}
    before: dict[str, str] | None = study.user_attrs.get(SPACE_DIMENSIONS)
    if study.user_attrs.get(SPACE_DIGEST) != space.digest:
        study.set_user_attr(SPACE_TEXT, space.text)
        study.set_user_attr(SPACE_DIMENSIONS, dimensions)
        study.set_user_attr(SPACE_DIGEST, space.digest)
    return [] if before is None else _changes(before, dimensions)


def _changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [
        *(f"{name} removed (was {text})" for name, text in before.items() if name not in after),
        *(f"{name} added ({text})" for name, text in after.items() if name not in before),
        *(
            f"{name} changed from {before[name]} to {text}"
            for name, text in after.items()
            if before.get(name, text) != text
        ),
    ]


def _check(study: optuna.Study, space: Space) -> None:
    used: dict[str, BaseDistribution] = {}
    for trial in study.get_trials(deepcopy=False):
        used |= {without_layer(name): distribution for name, distribution in trial.distributions.items()}
    for dimension in space.dimensions:
        if dimension.distribution is None or dimension.name not in used:
            continue
        try:
            check_distribution_compatibility(used[dimension.name], dimension.distribution)
        except ValueError as error:
            raise InputError(
                f"space must keep the kind, scale and choices of {dimension.name} in the study {study.study_name} "
                f"({used[dimension.name]}), got {dimension.distribution}; take another study_name, and warm_start "
                "for what this study found"
            ) from error
