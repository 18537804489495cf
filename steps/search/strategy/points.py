"""Points: configurations to try first, from a YAML or JSON file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
import yaml
from optuna.trial import FrozenTrial

from steps.base.errors import InputError
from steps.search.space.file import Loader
from steps.search.space.space import Space
from steps.search.store.attributes import TrialAttributes


def load_points(path: Path, space: Space) -> list[dict[str, Any]]:
    """The points of a file (JSON is YAML too), each completed by the defaults of the space.

    Raises:
        InputError: The file is not a list of mappings, or a point is not in the space.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"points {path}: not readable as YAML or JSON ({error})") from error
    if not isinstance(content, list) or not all(isinstance(point, dict) for point in content):
        raise InputError(f"points {path}: must be a list of mappings from hyperparameter to value")
    points = []
    for i, point in enumerate(content):
        try:
            points.append(space.complete(point))
        except InputError as error:
            raise InputError(f"points {path}, point {i}: {error}") from error
    return points


def new_points(space: Space, points: Sequence[dict[str, Any]], trials: Sequence[FrozenTrial]) -> list[dict[str, Any]]:
    """The distinct points that no trial has, waiting trials included."""
    known = {trial_key(space, trial) for trial in trials}
    new = {space.key(point): point for point in reversed(points)}
    return [point for point in points if new.get(key := space.key(point)) is point and key not in known]


def trial_key(space: Space, trial: FrozenTrial) -> frozenset[tuple[str, str]]:
    """Key of the configuration of a trial, which may be waiting; see `Space.key`."""
    return space.key({**(TrialAttributes.read(trial).point or {}), **trial.params})


def enqueue_point(study: optuna.Study, point: Mapping[str, Any]) -> None:
    """Enqueue a point in the study: it is tried before any suggestion of a sampler."""
    attributes: dict[str, Any] = {}
    TrialAttributes(point=point).write(attributes.__setitem__)
    study.enqueue_trial(dict(point), user_attrs=attributes)
