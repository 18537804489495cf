"""Space files: YAML -> `Space`, each mistake with its line and field."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from steps.base.errors import InputError
from steps.mlp.config import MLPConfig
from steps.search.space.space import Dimension, Space, contains

SPACES = Path(__file__).parents[2] / "spaces"
_FIELDS = {
    "int": {"type", "low", "high", "step", "log", "when", "repeat", "default"},
    "float": {"type", "low", "high", "step", "log", "when", "repeat", "default"},
    "categorical": {"type", "choices", "when", "repeat", "default"},
}
_NAMES = sorted({"units", *(n for n in MLPConfig().to_hyperparameters() if not n.startswith("units_"))})


class Loader(yaml.SafeLoader):
    """Safe YAML that also takes 1e-3 for a number, as JSON, Python and YAML 1.2 do."""


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


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
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"space {path}: not readable ({error})") from error
    return parse_space(text, f"space {path}")


def parse_space(text: str, where: str) -> Space:
    """Read and check the text of a space file; `where` begins each message.

    Raises:
        InputError: Names line and field of the first thing wrong.
    """
    try:
        root = yaml.compose(text, Loader)
    except RecursionError as error:
        raise InputError(f"{where}, line 1: not YAML of a space (nested too deeply)") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{where}, line {line}: not YAML ({error.problem})") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(f"{where}, line {line}: not YAML ({error.reason})") from error
    if not isinstance(root, yaml.MappingNode) or not root.value:
        raise InputError(f"{where}, line 1: must be a mapping of hyperparameters")
    dimensions: dict[str, Dimension] = {}
    for key, node in root.value:
        name = str(key.value)
        try:
            if name in dimensions:
                raise ValueError("stands here twice")
            dimensions[name] = _dimension(name, _construct(node), dimensions)
        except (ValueError, TypeError, OverflowError, yaml.YAMLError) as error:
            line = _line(key, node, error)
            raise InputError(f"{where}, line {line}: {name}: {' '.join(str(error).split())}") from error
    if "n_layers" in dimensions and "units" not in dimensions:
        line = next(key.start_mark.line for key, _ in root.value if key.value == "n_layers") + 1
        raise InputError(f"{where}, line {line}: n_layers: must be followed by units, with repeat: n_layers")
    return Space(tuple(dimensions.values()), text)


class _FieldError(ValueError):
    """What is wrong with one field of a hyperparameter."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}")
        self.field = field


def _line(key: yaml.Node, node: yaml.Node, error: Exception) -> int:
    """1-based line of the field that an error is about, else of the hyperparameter."""
    if isinstance(error, _FieldError) and isinstance(node, yaml.MappingNode):
        for field, _ in node.value:
            if str(field.value) == error.field:
                return int(field.start_mark.line) + 1
    return int(key.start_mark.line) + 1


def _construct(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        fields = [str(field.value) for field, _ in node.value]
        if twice := [field for field in fields if fields.count(field) > 1]:
            raise _FieldError(twice[0], "stands here twice")
    try:
        return Loader("").construct_object(node, deep=True)
    except (LookupError, AttributeError) as error:  # how PyYAML fails on `!!bool maybe` or `!!timestamp today`
        raise ValueError(f"not a value of the type {node.tag}") from error


def _dimension(name: str, entry: Any, earlier: Mapping[str, Dimension]) -> Dimension:
    if name not in _NAMES:
        raise ValueError(f"unknown hyperparameter; the known ones are {', '.join(_NAMES)}")
    if not isinstance(entry, dict):
        _check_values(name, [entry])
        if name == "units" and "n_layers" not in earlier:
            raise ValueError("needs n_layers, which must stand further up")
        return Dimension(name, None, entry, repeat="n_layers" if name == "units" else None)
    kind = entry.get("type")
    if kind not in tuple(_FIELDS):
        raise _FieldError("type", f"must be one of {', '.join(_FIELDS)}, got {kind!r}")
    if unknown := sorted(set(map(str, entry)) - _FIELDS[kind]):
        raise _FieldError(unknown[0], f"is an unknown field for type {kind}; the known ones are {_names(kind)}")
    repeat = entry.get("repeat")
    if repeat not in (None, "n_layers") or (repeat == "n_layers") != (name == "units"):
        raise _FieldError("repeat", "must be n_layers for units, and is for nothing else")
    if repeat and repeat not in earlier:
        raise _FieldError("repeat", f"refers to {repeat!r}, which must stand further up")
    when = _when(name, entry["when"], earlier) if "when" in entry else {}
    distribution = _distribution(kind, entry)
    _check_values(name, _extremes(distribution))
    default = entry.get("default")
    if "default" in entry and not contains(distribution, default):
        raise _FieldError("default", f"must be a value of the hyperparameter, got {default!r}")
    return Dimension(name, distribution, when=when, repeat=repeat, default=default)


def _names(kind: str) -> str:
    return ", ".join(sorted(_FIELDS[kind]))


def _when(name: str, entry: Any, earlier: Mapping[str, Dimension]) -> dict[str, tuple[Any, ...]]:
    if not isinstance(entry, dict) or not entry:
        raise _FieldError("when", f"must be a mapping from hyperparameter to value or values, got {entry!r}")
    if name in ("n_layers", "units"):
        raise _FieldError("when", "is not possible here: every network has layers")
    conditions = {str(k): tuple(v) if isinstance(v, list) else (v,) for k, v in entry.items()}
    for other, values in conditions.items():
        if other not in earlier:
            raise _FieldError("when", f"refers to {other!r}, which must stand further up")
        dimension = earlier[other]
        if dimension.repeat:
            raise _FieldError("when", f"refers to {other!r}, which each layer has its own of")
        for value in values:
            possible = contains(dimension.distribution, value) if dimension.distribution else value == dimension.value
            if not possible:
                raise _FieldError("when", f"refers to {other} = {value!r}, which it never is")
    return conditions


def _distribution(kind: str, entry: Mapping[str, Any]) -> BaseDistribution:
    if kind == "categorical":
        choices = entry.get("choices")
        if not isinstance(choices, list) or not choices:
            raise _FieldError("choices", f"must be a list with at least one value, got {choices!r}")
        if any(choices.index(choice) != i for i, choice in enumerate(choices)):
            raise _FieldError("choices", f"must be different values, got {choices!r}")
        return CategoricalDistribution(choices)
    numbers = (int,) if kind == "int" else (int, float)
    for bound in ("low", "high", *(["step"] if "step" in entry else [])):
        value = entry.get(bound)
        if not isinstance(value, numbers) or isinstance(value, bool) or not math.isfinite(value):
            raise _FieldError(bound, f"must be {'a whole number' if kind == 'int' else 'a number'}, got {value!r}")
    log, step = entry.get("log", False), entry.get("step")
    if not isinstance(log, bool):
        raise _FieldError("log", f"must be true or false, got {log!r}")
    if log and step is not None:
        raise _FieldError("step", "must be left out where log is true")
    if step is not None and step <= 0:
        raise _FieldError("step", f"must be above 0, got {step!r}")
    if entry["low"] > entry["high"]:
        raise _FieldError("high", f"must be at least low ({entry['low']!r}), got {entry['high']!r}")
    if kind == "int":
        return IntDistribution(entry["low"], entry["high"], log=log, step=1 if step is None else step)
    return FloatDistribution(entry["low"], entry["high"], log=log, step=step)


def _extremes(distribution: BaseDistribution) -> list[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    return [distribution.low, distribution.high]


def _check_values(name: str, values: list[Any]) -> None:
    """Let `MLPConfig` judge the ends of a range, each choice or a fixed value."""
    for value in values:
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"must be finite, got {value!r}")
        if name == "n_layers":
            hyperparameters = {name: value, **{f"units_{i}": 8 for i in range(value if isinstance(value, int) else 1)}}
        elif name == "units":
            hyperparameters = {"n_layers": 1, "units_0": value}
        else:
            hyperparameters = {name: value}
        MLPConfig.from_hyperparameters(hyperparameters)
