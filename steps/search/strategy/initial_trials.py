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
    """Enqueue the trials to run first; configurations that the study already has are skipped.

    Args:
        points: Complete configurations; if there are none, the defaults of the space are tried first.
        earlier: Complete trials of the study for a warm start.
        grid: Whether the study is a grid, which tries only explicitly given points first.

    Returns:
        Lines for people about the enqueued trials.
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
