"""What waits in a study to be tried first: points, the best of an earlier study, the cells of a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna

from steps.search.grid import enqueue_cells
from steps.search.points import load_points, new_points
from steps.search.results import Record
from steps.search.task import Task
from steps.search.warm_start import enqueue_starts, starts


def enqueue(study: optuna.Study, task: Task, earlier: Sequence[Record], parameters: Mapping[str, Any]) -> list[str]:
    """Let what the parameters of `tune` ask for wait in the study; a configuration that it knows is left out.

    Returns:
        Lines for the person about what waits.
    """
    lines, points = [], []
    if parameters["points"]:
        points = load_points(Path(parameters["points"]), task.space)
    elif task.space.start and parameters["sampler"] != "grid":
        points = [task.space.start]
    for point in new_points(task.space, points, study.get_trials(deepcopy=False)):
        study.enqueue_trial(point)
    if parameters["warm_start"]:
        found = starts(earlier, task.objectives[0], task.space)
        lines += [f"Warm start: {line}" for line in enqueue_starts(study, task.space, found)]
    if parameters["sampler"] == "grid":
        known = study.get_trials(deepcopy=False)
        n_cells, n_left = enqueue_cells(study, task.space, known, parameters["n_trials"], parameters["seed"])
        lines.append(f"Grid: {n_cells} cells" + (f", {n_left} of them beyond n_trials" if n_left else ""))
    return lines
