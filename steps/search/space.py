"""Search spaces: a YAML file -> suggestions."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import BaseTrial

from steps.errors import InputError
from steps.mlp.config import MLPConfig

SPACES = Path(__file__).parents[1] / "spaces"
_KEYS = {
    "int": {"type", "low", "high", "step", "log", "when", "repeat"},
    "float": {"type", "low", "high", "step", "log", "when", "repeat"},
    "categorical": {"type", "choices", "when", "repeat"},
}
_DEFAULTS = MLPConfig().to_hyperparameters()


class Loader(yaml.SafeLoader):
    """Safe YAML that also takes 1e-3 for a number, as JSON, Python and YAML 1.2 do."""


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


@dataclass(frozen=True)
class Dimension:
    """One line of a space: a distribution or a fixed value, where it applies, and how often.

    Attributes:
        name: Name of the hyperparameter; with `repeat`, of `<name>_0`, `<name>_1`, ...
        distribution: What it is drawn from; None for a fixed value.
        value: The fixed value.
        when: Values of hyperparameters further up under which this one exists.
        repeat: Hyperparameter further up that says how often.
    """

    name: str
    distribution: BaseDistribution | None
    value: Any = None
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    repeat: str | None = None

    def names(self, chosen: Mapping[str, Any]) -> list[str]:
        """The hyperparameters this is, once those further up are chosen."""
        if any(chosen.get(other) not in values for other, values in self.when.items()):
            return []
        return [self.name] if self.repeat is None else [f"{self.name}_{i}" for i in range(chosen[self.repeat])]


@dataclass(frozen=True)
class Space:
    """A search space: its dimensions in the order in which they are chosen."""

    dimensions: tuple[Dimension, ...]

    def suggest(self, trial: BaseTrial) -> dict[str, Any]:
        """The hyperparameters of one trial; conditional ones only where they apply."""
        chosen: dict[str, Any] = {}
        for dimension in self.dimensions:
            for name in dimension.names(chosen):
                if dimension.distribution is None:
                    chosen[name] = dimension.value
                else:
                    chosen[name] = _suggest(trial, name, dimension.distribution)
        return chosen

    def complete(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """A point with each hyperparameter of its branch: what it leaves out takes its default.

        The default is that of `MLPConfig`, moved to the nearest value the space has.

        Raises:
            InputError: A name or a value that the space does not have.
        """
        chosen: dict[str, Any] = {}
        for dimension in self.dimensions:
            for name in dimension.names(chosen):
                if dimension.distribution is None:
                    chosen[name] = dimension.value
                elif name not in point:
                    chosen[name] = _nearest(dimension.distribution, _DEFAULTS.get(name, _DEFAULTS["units_0"]))
                else:
                    chosen[name] = _checked(name, point[name], dimension.distribution)
        if unknown := sorted(set(point) - set(chosen)):
            raise InputError(f"{unknown[0]} must be a hyperparameter of the point's branch of the space, got {point!r}")
        return chosen

    def without(self, name: str, value: Any) -> Space:
        """This space with one hyperparameter fixed."""
        return Space(tuple(Dimension(name, None, value) if d.name == name else d for d in self.dimensions))


def space_path(name: str) -> Path:
    """Path of a packaged space by its name, or the path itself.

    Raises:
        InputError: Neither.
    """
    for path in (SPACES / f"{name}.yaml", Path(name)):
        if path.is_file():
            return path
    packaged = ", ".join(sorted(path.stem for path in SPACES.glob("*.yaml")))
    raise InputError(f"space must be one of {packaged}, or a file that exists, got {name!r}")


def load_space(path: Path) -> Space:
    """Read and check a space.

    Raises:
        InputError: Names path, line and field of the first thing wrong.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"space {path}: not readable ({error})") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"space {path}, line {line}: not YAML ({error.problem})") from error
    except yaml.YAMLError as error:
        raise InputError(f"space {path}: not YAML ({error})") from error
    if not isinstance(root, yaml.MappingNode) or not root.value:
        raise InputError(f"space {path}, line 1: must be a mapping of hyperparameters")
    dimensions: dict[str, Dimension] = {}
    for key, node in root.value:
        name = str(key.value)
        try:
            if name in dimensions:
                raise ValueError("stands here twice")
            dimensions[name] = _dimension(name, _construct(node), dimensions)
        except (ValueError, TypeError, yaml.YAMLError) as error:
            raise InputError(
                f"space {path}, line {key.start_mark.line + 1}: {name}: {' '.join(str(error).split())}"
            ) from error
    return Space(tuple(dimensions.values()))


def _construct(node: yaml.Node) -> Any:
    return Loader("").construct_object(node, deep=True)


def _dimension(name: str, entry: Any, earlier: Mapping[str, Dimension]) -> Dimension:
    known = {n.rstrip("0123456789").rstrip("_") if n.startswith("units_") else n for n in _DEFAULTS}
    if name not in known:
        raise ValueError(f"unknown hyperparameter; the known ones are {', '.join(sorted(known))}")
    if not isinstance(entry, dict):
        _check_values(name, [entry])
        return Dimension(name, None, entry, repeat="n_layers" if name == "units" else None)
    kind = entry.get("type")
    if kind not in _KEYS:
        raise ValueError(f"type must be one of {', '.join(_KEYS)}, got {kind!r}")
    if unknown := sorted(set(map(str, entry)) - _KEYS[kind]):
        raise ValueError(f"unknown field {unknown[0]!r} for type {kind}")
    when = {str(k): tuple(v) if isinstance(v, list) else (v,) for k, v in _mapping(entry.get("when", {})).items()}
    repeat = entry.get("repeat")
    for other in [*when, *([repeat] if repeat else [])]:
        if other not in earlier:
            raise ValueError(f"refers to {other!r}, which must stand further up")
    if (repeat == "n_layers") != (name == "units") or repeat not in (None, "n_layers"):
        raise ValueError("units must have repeat: n_layers, and nothing else may")
    distribution = _distribution(kind, entry)
    _check_values(name, _extremes(distribution))
    return Dimension(name, distribution, when=when, repeat=repeat)


def _mapping(value: Any) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"when must be a mapping, got {value!r}")
    return value


def _distribution(kind: str, entry: Mapping[str, Any]) -> BaseDistribution:
    if kind == "categorical":
        choices = entry.get("choices")
        if not isinstance(choices, list) or not choices:
            raise ValueError(f"choices must be a list with at least one value, got {choices!r}")
        return CategoricalDistribution(choices)
    numbers = (int,) if kind == "int" else (int, float)
    for bound in ("low", "high", *(["step"] if "step" in entry else [])):
        value = entry.get(bound)
        if not isinstance(value, numbers) or isinstance(value, bool) or not math.isfinite(value):
            raise ValueError(f"{bound} must be {'a whole number' if kind == 'int' else 'a number'}, got {value!r}")
    if not isinstance(entry.get("log", False), bool):
        raise ValueError(f"log must be true or false, got {entry['log']!r}")
    if kind == "int":
        return IntDistribution(entry["low"], entry["high"], log=entry.get("log", False), step=entry.get("step", 1))
    return FloatDistribution(entry["low"], entry["high"], log=entry.get("log", False), step=entry.get("step"))


def _check_values(name: str, values: list[Any]) -> None:
    """Let `MLPConfig` judge the ends of a range, each choice or a fixed value."""
    for value in values:
        if name == "n_layers":
            hyperparameters = {name: value, **{f"units_{i}": 8 for i in range(value if isinstance(value, int) else 1)}}
        elif name == "units":
            hyperparameters = {"n_layers": 1, "units_0": value}
        else:
            hyperparameters = {name: value}
        MLPConfig.from_hyperparameters(hyperparameters)


def _extremes(distribution: BaseDistribution) -> list[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    return [distribution.low, distribution.high]


def _suggest(trial: BaseTrial, name: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(
            name, distribution.low, distribution.high, step=distribution.step, log=distribution.log
        )
    assert isinstance(distribution, FloatDistribution)
    return trial.suggest_float(name, distribution.low, distribution.high, step=distribution.step, log=distribution.log)


def _nearest(distribution: BaseDistribution, value: Any) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return value if value in distribution.choices else distribution.choices[0]
    low, high = _extremes(distribution)
    return min(max(value, low), high)


def _checked(name: str, value: Any, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        inside = value in distribution.choices
    else:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        inside = is_number and distribution._contains(distribution.to_internal_repr(value))
    if not inside:
        raise InputError(f"{name} must be inside the space ({distribution}), got {value!r}")
    return value
