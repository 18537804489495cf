"""Points: configurations to try first, from a YAML or JSON file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
import yaml
from optuna.trial import FrozenTrial

from steps.base.errors import InputError
from steps.search.space.document import compose, construct, line_of, read_document
from steps.search.space.space import Space
from steps.search.store.attributes import TrialAttributes


def load_points(path: Path, space: Space) -> list[dict[str, Any]]:
    """The points of a file (JSON is YAML too), each completed by the defaults of the space.

    Raises:
        InputError: The file is not a list of mappings, or a point is not in the space.
    """
    where = f"points {path}"
    root = compose(read_document(path, where), where)
    if not isinstance(root, yaml.SequenceNode) or not all(isinstance(node, yaml.MappingNode) for node in root.value):
        raise InputError(f"{where}: must be a list of mappings from hyperparameter to value")
    points = []
    for i, node in enumerate(root.value):
        try:
            points.append(space.complete(_point(node)))
        except (ValueError, yaml.YAMLError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{where}, line {line_of(node)}, point {i}: {reason}") from error
    return points


def _point(node: yaml.MappingNode) -> dict[str, Any]:
    names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{twice[0]} stands here twice")
    point = construct(node)
    if strange := [name for name in point if not isinstance(name, str)]:
        raise ValueError(f"the names of hyperparameters must be words, got {strange[0]!r}")
    return dict(point)


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
