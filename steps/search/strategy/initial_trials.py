"""The trials that a study runs first: points, and the best of an earlier study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import optuna

from steps.search.store.records import TrialRecord
from steps.search.strategy.points import enqueue_point, new_points
from steps.search.strategy.warm_start import enqueue_starts, starts
from steps.search.trials.context import TrialContext


def enqueue(
    study: optuna.Study,
    context: TrialContext,
    *,
    points: Sequence[dict[str, Any]],
    earlier: Sequence[TrialRecord],
    grid: bool,
) -> list[str]:
    """Enqueue the trials to run first; configurations that the study has already are left out.

    Args:
        points: Hyperparameters, complete; if there are none, the start of the space is tried first.
        earlier: Complete trials of the study of a warm start.
        grid: Whether the study is a grid, which only tries points first that were asked for.

    Returns:
        Lines for the person about the trials enqueued.
    """
    lines, space = [], context.space
    if not points and space.start and not grid:
        points = [space.start]
    for point in new_points(space, points, study.get_trials(deepcopy=False)):
        enqueue_point(study, point)
    if earlier:
        found = starts(earlier, [context.objectives[0], context.primary], space)
        lines += [f"Warm start: {line}" for line in enqueue_starts(study, space, found)]
    return lines
