"""Grid search over a finite space: every cell is enqueued in the study, and tried once.

Optuna's own `GridSampler` supports neither conditions nor repetition. Its `BruteForceSampler` may repeat a cell or stop
early if several processes ask at the same time, and stops a study only inside `optimize`. Here, cells are enumerated
in the order of the space, and each one is enqueued as a waiting trial, which persists with the study.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from steps.base.errors import InputError
from steps.search.space.space import Space, on_step
from steps.search.strategy.points import enqueue_point, trial_key

MAX_CELLS = 100_000


def cells(space: Space) -> list[dict[str, Any]]:
    """The hyperparameters of each cell, including fixed ones, in the order of the space.

    Raises:
        InputError: A hyperparameter has infinitely many values, or there are more than 100,000 cells.
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


class Grid:
    """The cells of a space in a seeded order, the same in each process of a study.

    Each cell is enqueued only when it is due, because a study reads all its waiting trials again and again.
    """

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        order = cells(space)
        random.Random(seed).shuffle(order)
        self.n_cells = len(order)
        self._left = {space.key(cell): cell for cell in order}
        self._ended: set[int] = set()  # numbers of trials whose cells are excluded

    def missing(self, trials: Sequence[FrozenTrial]) -> list[dict[str, Any]]:
        """The cells that no trial has, waiting trials included.

        Args:
            trials: Those of the study.
        """
        taken = set()
        for trial in trials:
            if trial.number in self._ended:
                continue
            key = trial_key(self._space, trial)
            if trial.state.is_finished():
                self._ended.add(trial.number)
                self._left.pop(key, None)
            else:
                taken.add(key)
        return [cell for key, cell in self._left.items() if key not in taken]

    def enqueue_next(self, study: optuna.Study, trials: Sequence[FrozenTrial]) -> bool:
        """Enqueue the next cell unless a trial is already waiting; False if all are done. Call under the study lock.

        Args:
            trials: Those of the study.
        """
        if any(trial.state == TrialState.WAITING for trial in trials):
            return True
        missing = self.missing(trials)
        if missing:
            enqueue_point(study, missing[0])
        return bool(missing)

    def describe(self, trials: Sequence[FrozenTrial], n_trials: int) -> str:
        """Number of cells, and of those that do not fit into `n_trials`, in one line."""
        n_beyond = len(self.missing(trials)) - max(0, n_trials - len(trials))
        return f"Grid: {self.n_cells} cells" + (f", {n_beyond} of them beyond n_trials" if n_beyond > 0 else "")


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
        step = distribution.step or 1.0  # without a step, there is a single value
        for i in range(round((distribution.high - distribution.low) / step) + 1):
            yield on_step(distribution, distribution.low + i * step)
