"""What waits in a study to be tried first: points, the best of an earlier study, the cells of a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna

from steps.search.store.records import TrialRecord
from steps.search.strategy.grid import enqueue_cells
from steps.search.strategy.points import load_points, new_points
from steps.search.strategy.warm_start import enqueue_starts, starts
from steps.search.trials.context import TrialContext


def enqueue(
    study: optuna.Study, context: TrialContext, earlier: Sequence[TrialRecord], parameters: Mapping[str, Any]
) -> list[str]:
    """Let what the parameters of `tune` ask for wait in the study; a configuration that it knows is left out.

    Returns:
        Lines for the person about what waits.
    """
    lines, points = [], []
    if parameters["points"]:
        points = load_points(Path(parameters["points"]), context.space)
    elif context.space.start and parameters["sampler"] != "grid":
        points = [context.space.start]
    for point in new_points(context.space, points, study.get_trials(deepcopy=False)):
        study.enqueue_trial(point)
    if parameters["warm_start"]:
        found = starts(earlier, [context.objectives[0], context.primary], context.space)
        lines += [f"Warm start: {line}" for line in enqueue_starts(study, context.space, found)]
    if parameters["sampler"] == "grid":
        known = study.get_trials(deepcopy=False)
        n_cells, n_left = enqueue_cells(study, context.space, known, parameters["n_trials"], parameters["seed"])
        lines.append(f"Grid: {n_cells} cells" + (f", {n_left} of them beyond n_trials" if n_left else ""))
    return lines
