"""Warm start: the best configurations of an earlier study, also of another data set, moved into this space."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import optuna

from steps.search.space.space import Space, default, nearest
from steps.search.store.results import TrialRecord
from steps.search.strategy.points import new_points
from steps.tasks.objectives import Objective

N_BEST = 5


class Start(NamedTuple):
    """A point of this space, the trial it comes from, and what had to be moved."""

    point: dict[str, Any]
    trial_number: int
    moved: list[str]


def enqueue_starts(study: optuna.Study, space: Space, found: Sequence[Start]) -> list[str]:
    """Enqueue them where the study does not have them yet; says in one line each what was moved."""
    lines = []
    for start in found:
        if new_points(space, [start.point], study.get_trials(deepcopy=False)):
            study.enqueue_trial(start.point)
            moved = f": {', '.join(start.moved)}" if start.moved else ""
            lines.append(f"trial-{start.trial_number:03d} of the earlier study{moved}")
    return lines


def starts(records: Sequence[TrialRecord], objective: Objective, space: Space) -> list[Start]:
    """The best distinct configurations, at most five, the best first.

    They are ranked by `objective` where the earlier study measured it, else by accuracy. A value outside
    this space is moved to the nearest one inside; a hyperparameter that the space does not have is left out.
    """
    if all(objective.name in record.measures for record in records):
        ranked = sorted(records, key=lambda r: (objective.sign * r.measures[objective.name], r.trial_number))
    else:
        ranked = sorted(records, key=lambda r: (-r.measures["accuracy"], r.trial_number))
    found: dict[str, Start] = {}
    for record in ranked:
        start = _moved_inside(record, space)
        found.setdefault(json.dumps(start.point, sort_keys=True), start)
        if len(found) == N_BEST:
            break
    return list(found.values())


def _moved_inside(record: TrialRecord, space: Space) -> Start:
    given: Mapping[str, Any] = record.hyperparameters
    point: dict[str, Any] = {}
    moved = []
    for dimension in space.dimensions:
        for name in dimension.names(point):
            wanted = given.get(name, default(name))
            if dimension.distribution is None:
                point[name] = dimension.value
            else:
                point[name] = nearest(dimension.distribution, wanted)
            if name in given and point[name] != given[name]:
                moved.append(f"{name} {_text(given[name])} -> {_text(point[name])}")
    moved += [f"{name} left out" for name in given if name not in point and not name.startswith("units_")]
    return Start(point, record.trial_number, moved)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
