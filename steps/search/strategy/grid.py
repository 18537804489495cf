"""Grid search over a finite space: every cell waits in the study, and is handed out once.

Optuna's own `GridSampler` knows neither conditions nor repetition; its `BruteForceSampler` may repeat a cell or stop
early if several processes ask at once, and stops a study only inside of `optimize`. Here the cells are enumerated along
the space and enqueued as waiting trials, which survive with the study.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from steps.base.errors import InputError
from steps.search.space.space import Space, on_step
from steps.search.strategy.points import new_points

MAX_CELLS = 100_000


def cells(space: Space) -> list[dict[str, Any]]:
    """The hyperparameters of each cell, fixed ones included, in the order of the space.

    Raises:
        InputError: A hyperparameter without end, or more than 100,000 cells.
    """
    for dimension in space.dimensions:
        endless = dimension.distribution
        if isinstance(endless, FloatDistribution) and endless.step is None and not endless.single():
            raise InputError(
                f"sampler grid must have a finite space, got {dimension.name} from {endless.low} to {endless.high}; "
                "give it choices or a step, or take another sampler"
            )
    found: list[dict[str, Any]] = [{}]
    for dimension in space.dimensions:
        values = [dimension.value]
        if dimension.distribution is not None:
            values = list(islice(_values(dimension.distribution), MAX_CELLS + 1))
        found = list(islice(_extended(found, dimension.names, values), MAX_CELLS + 1))
        if len(found) > MAX_CELLS:
            raise InputError(
                f"sampler grid must have a space of at most {MAX_CELLS:,} cells, got more up to {dimension.name}; "
                "take fewer values, or another sampler"
            )
    return found


def enqueue_cells(
    study: optuna.Study, space: Space, trials: Sequence[FrozenTrial], n_trials: int, seed: int
) -> tuple[int, int]:
    """Enqueue the cells that no trial has, in a seeded order, as many as `n_trials` still allow.

    Args:
        trials: Those of the study that use up budget or will: ended, running or waiting.

    Returns:
        Number of cells, and of those that neither this call nor a trial covers.
    """
    every = cells(space)
    missing = new_points(space, every, trials)
    random.Random(seed).shuffle(missing)
    allowed = max(0, n_trials - len(trials))
    for cell in missing[:allowed]:
        study.enqueue_trial(cell)
    return len(every), len(missing[allowed:])


def _extended(
    found: list[dict[str, Any]], names: Callable[[Mapping[str, Any]], list[str]], values: list[Any]
) -> Iterator[dict[str, Any]]:
    for cell in found:
        branch = [cell]
        for name in names(cell):
            branch = [{**start, name: value} for start in branch for value in values]
            if len(branch) > MAX_CELLS:
                break
        yield from branch


def _values(distribution: BaseDistribution) -> Iterator[Any]:
    if isinstance(distribution, CategoricalDistribution):
        yield from distribution.choices
    elif isinstance(distribution, IntDistribution):
        yield from range(distribution.low, distribution.high + 1, distribution.step)
    else:
        assert isinstance(distribution, FloatDistribution)
        step = distribution.step or 1.0  # without one there is a single value
        for i in range(round((distribution.high - distribution.low) / step) + 1):
            yield on_step(distribution, distribution.low + i * step)
