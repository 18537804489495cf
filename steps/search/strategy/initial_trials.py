"""The trials that a study runs first: points, the best of an earlier study, the cells of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import optuna

from steps.search.store.records import TrialRecord
from steps.search.strategy.grid import enqueue_cells
from steps.search.strategy.points import new_points
from steps.search.strategy.warm_start import enqueue_starts, starts
from steps.search.trials.context import TrialContext


def enqueue(
    study: optuna.Study,
    context: TrialContext,
    *,
    points: Sequence[dict[str, Any]],
    earlier: Sequence[TrialRecord],
    grid: bool,
    n_trials: int,
    seed: int,
) -> list[str]:
    """Enqueue the trials to run first; configurations that the study has already are left out.

    Args:
        points: Hyperparameters, complete; if there are none, the start of the space is tried first.
        earlier: Complete trials of the study of a warm start.
        grid: Whether the study is a grid, whose cells are enqueued up to `n_trials`, in a seeded order.

    Returns:
        Lines for the person about the trials enqueued.
    """
    lines, space = [], context.space
    if not points and space.start and not grid:
        points = [space.start]
    for point in new_points(space, points, study.get_trials(deepcopy=False)):
        study.enqueue_trial(point)
    if earlier:
        found = starts(earlier, [context.objectives[0], context.primary], space)
        lines += [f"Warm start: {line}" for line in enqueue_starts(study, space, found)]
    if grid:
        n_cells, n_left = enqueue_cells(study, space, study.get_trials(deepcopy=False), n_trials, seed)
        lines.append(f"Grid: {n_cells} cells" + (f", {n_left} of them beyond n_trials" if n_left else ""))
    return lines
