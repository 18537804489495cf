"""Warm start: the best configurations of an earlier study, possibly on other data, moved into this space."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import optuna
from mlflow.tracking import MlflowClient
from optuna.storages import BaseStorage

from steps.base.errors import InputError
from steps.mlp.config import without_layer
from steps.search.space.space import Space, default, nearest
from steps.search.store.records import ARTIFACT, TrialRecord, from_json, records_of
from steps.search.strategy.points import enqueue_point, new_points
from steps.tasks.objectives import Objective
from steps.tracking.absent import if_exists
from steps.tracking.artifacts import read_artifact
from steps.tracking.tags import STEP_TAG

N_BEST = 5
_RUN_ID = re.compile(r"[0-9a-f]{32}")


class Start(NamedTuple):
    """A point of this space, its original trial, and the values that had to be moved."""

    point: dict[str, Any]
    trial_number: int
    moved: list[str]


def earlier_records(source: str, storage: BaseStorage) -> list[TrialRecord]:
    """The complete trials of a tune run, wherever its study is stored, or of a study in this storage.

    Args:
        source: ID of a tune run, or name of a study.

    Raises:
        InputError: It is neither, or has no complete trial.
    """
    if _RUN_ID.fullmatch(source) and _is_tune_run(source):
        records = read_artifact(source, ARTIFACT, from_json)
    elif source in (names := optuna.get_all_study_names(storage)):
        records = records_of(optuna.load_study(study_name=source, storage=storage))
    else:
        known = f"the studies here are {', '.join(sorted(names))}" if names else "there is no study here yet"
        raise InputError(f"warm_start must be the ID of a tune run or the name of a study ({known}), got {source!r}")
    if not records:
        raise InputError(f"warm_start must be a study with a complete trial, got {source!r}, which has none")
    return records


def _is_tune_run(run_id: str) -> bool:
    run = if_exists(MlflowClient().get_run, run_id)
    return run is not None and run.data.tags.get(STEP_TAG) == "tune"


def enqueue_starts(study: optuna.Study, space: Space, found: Sequence[Start]) -> list[str]:
    """Enqueue those that the study does not have yet; returns a line for each, with the moved values."""
    lines = []
    for start in found:
        if new_points(space, [start.point], study.get_trials(deepcopy=False)):
            enqueue_point(study, start.point)
            moved = f": {', '.join(start.moved)}" if start.moved else ""
            lines.append(f"trial-{start.trial_number:03d} of the earlier study{moved}")
    return lines


def starts(records: Sequence[TrialRecord], objectives: Sequence[Objective], space: Space) -> list[Start]:
    """The best distinct configurations, at most five, the best first.

    They are ranked by the first of `objectives` that the earlier study measured. A value outside
    this space is moved to the nearest one inside; hyperparameters that the space does not have are omitted.

    Raises:
        InputError: The earlier study measured none of the objectives.
    """
    measured = [o for o in objectives if all(o.name in record.measures for record in records)]
    if not measured:
        names = ", ".join(dict.fromkeys(name for record in records for name in record.measures))
        raise InputError(f"warm_start must be a study that measured {objectives[0].name}, got one of {names}")
    by = measured[0]
    ranked = sorted(records, key=lambda r: (by.sign * r.measures[by.name], r.trial_number))
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
    moved += [f"{name} left out" for name in given if name not in point and without_layer(name) == name]
    return Start(point, record.trial_number, moved)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
