"""Space files: YAML -> `Space`; each error has line and field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, ValidationError, ValidationInfo, field_validator

from steps.base.errors import InputError
from steps.base.validation import problem
from steps.mlp.config import HYPERPARAMETERS, check_hyperparameter
from steps.search.space.document import compose, construct, line_of, read_document
from steps.search.space.space import Dimension, Space, contains

SPACES = Path(__file__).parents[2] / "spaces"
# Optuna stores numbers as floats: only integers that are exact as floats are restored unchanged.
_Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]


class _Entry(BaseModel, strict=True, allow_inf_nan=False):
    """Fields of a searched hyperparameter; `ends` are the values to check for validity in an MLP."""

    type: str
    when: Annotated[dict[str, Any], Field(min_length=1)] = {}
    repeat: Literal["n_layers"] | None = None
    default: Any = None


class _Float(_Entry):
    log: bool = False
    low: float
    high: float
    step: PositiveFloat | None = None

    @field_validator("high")
    @classmethod
    def _is_not_below_low(cls, high: float, info: ValidationInfo) -> float:
        if (low := info.data.get("low", high)) > high:
            raise ValueError(f"must be at least low ({low!r}), got {high!r}")
        return high

    @field_validator("step")
    @classmethod
    def _is_without_log(cls, step: float | None, info: ValidationInfo) -> float | None:
        if step is not None and info.data.get("log"):
            raise ValueError("must be left out if log is true")
        return step

    @property
    def ends(self) -> Sequence[Any]:
        return self.low, self.high

    def distribution(self) -> BaseDistribution:
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step)


class _Int(_Float):
    low: _Whole
    high: _Whole
    step: PositiveInt | None = None

    def distribution(self) -> BaseDistribution:
        return IntDistribution(self.low, self.high, log=self.log, step=self.step or 1)


class _Categorical(_Entry):
    choices: Annotated[list[Any], Field(min_length=1)]

    @field_validator("choices")
    @classmethod
    def _are_distinct(cls, choices: list[Any]) -> list[Any]:
        if any(choices.index(choice) != i for i, choice in enumerate(choices)):
            raise ValueError(f"must be different values, got {choices!r}")
        return choices

    @property
    def ends(self) -> Sequence[Any]:
        return self.choices

    def distribution(self) -> BaseDistribution:
        return CategoricalDistribution(self.choices)


_TYPES: dict[str, type[_Float] | type[_Categorical]] = {"int": _Int, "float": _Float, "categorical": _Categorical}


def space_path(name: str) -> Path:
    """Path of a packaged space by its name, or the path itself.

    Raises:
        InputError: It is neither.
    """
    for path in (SPACES / f"{name}.yaml", Path(name)):
        if path.is_file():
            return path
    packaged = ", ".join(sorted(path.stem for path in SPACES.glob("*.yaml")))
    raise InputError(f"space must be one of {packaged}, or a file that exists, got {name!r}")


def load_space(path: Path) -> Space:
    """Read and check a space.

    Raises:
        InputError: The space is invalid; the message has path, line and field of the first error.
    """
    where = f"space {path}"
    return parse_space(read_document(path, where), where)


def parse_space(text: str, where: str) -> Space:
    """Read and check the text of a space file; `where` begins each message.

    Raises:
        InputError: The space is invalid; the message has line and field of the first error.
    """
    root = compose(text, where)
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
        line = next(line_of(key) for key, _ in root.value if key.value == "n_layers")
        raise InputError(f"{where}, line {line}: n_layers: must be followed by units, with repeat: n_layers")
    return Space(tuple(dimensions.values()), text)


def with_line(space: Space, name: str, value: Any) -> Space:
    """The space with an additional fixed hyperparameter.

    Raises:
        InputError: The space already has this hyperparameter.
    """
    if any(dimension.name == name for dimension in space.dimensions):
        raise InputError(f"{name} must be left out, or not stand in the space, got {value!r}")
    return parse_space(f"{space.text.rstrip()}\n{name}: {value}\n", "space")


class _FieldError(ValueError):
    """A problem with one field of a hyperparameter, or with a part of it."""

    def __init__(self, message: str, *place: int | str) -> None:
        super().__init__(f"{place[0]} {message}")
        self.place = place


def _line(key: yaml.Node, node: yaml.Node, error: Exception) -> int:
    """1-based line of the part of a hyperparameter that caused an error."""
    at = key
    for part in error.place if isinstance(error, _FieldError) else ():
        if isinstance(node, yaml.MappingNode):
            inner = next(((k, v) for k, v in node.value if str(k.value) == str(part)), None)
        else:
            inner = next(((v, v) for i, v in enumerate(node.value) if i == part), None)
        if inner is None:
            break
        at, node = inner
    return line_of(at)


def _construct(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        fields = [str(field.value) for field, _ in node.value]
        if twice := [field for field in fields if fields.count(field) > 1]:
            raise _FieldError("stands here twice", twice[0])
    return construct(node)


def _dimension(name: str, entry: Any, earlier: Mapping[str, Dimension]) -> Dimension:
    if name not in HYPERPARAMETERS:
        raise ValueError(f"unknown hyperparameter; the known ones are {', '.join(HYPERPARAMETERS)}")
    if not isinstance(entry, dict):
        check_hyperparameter(name, entry)
        if name == "units" and "n_layers" not in earlier:
            raise ValueError("needs n_layers, which must stand further up")
        return Dimension(name, None, entry, repeat="n_layers" if name == "units" else None)
    fields = _fields(entry)
    if (fields.repeat is not None) != (name == "units"):
        raise _FieldError("must be n_layers for units, and is for nothing else", "repeat")
    if fields.repeat and fields.repeat not in earlier:
        raise _FieldError(f"refers to {fields.repeat!r}, which must stand further up", "repeat")
    when = _when(name, fields.when, earlier)
    for value in fields.ends:
        check_hyperparameter(name, value)
    distribution = fields.distribution()
    if "default" in fields.model_fields_set and not contains(distribution, fields.default):
        raise _FieldError(f"must be a value of the hyperparameter, got {fields.default!r}", "default")
    return Dimension(name, distribution, when=when, repeat=fields.repeat, default=fields.default)


def _fields(entry: Mapping[Any, Any]) -> _Float | _Categorical:
    kind = entry.get("type")
    if kind not in tuple(_TYPES):
        raise _FieldError(f"must be one of {', '.join(_TYPES)}, got {kind!r}", "type")
    known = sorted(_TYPES[kind].model_fields)
    if unknown := sorted(set(map(str, entry)) - set(known)):
        raise _FieldError(f"is an unknown field for type {kind}; the known ones are {', '.join(known)}", unknown[0])
    try:
        return _TYPES[kind].model_validate(entry)
    except ValidationError as error:
        place, text = problem(error)
        raise _FieldError(text, *place) from error


def _when(name: str, given: Mapping[str, Any], earlier: Mapping[str, Dimension]) -> dict[str, tuple[Any, ...]]:
    if given and name in ("n_layers", "units"):
        raise _FieldError("is not possible here: every network has layers", "when")
    conditions = {other: tuple(values) if isinstance(values, list) else (values,) for other, values in given.items()}
    for other, values in conditions.items():
        if other not in earlier:
            raise _FieldError(f"refers to {other!r}, which must stand further up", "when", other)
        dimension = earlier[other]
        if dimension.repeat:
            raise _FieldError(f"refers to {other!r}, which each layer has its own of", "when", other)
        for value in values:
            possible = contains(dimension.distribution, value) if dimension.distribution else value == dimension.value
            if not possible:
                raise _FieldError(f"refers to {other} = {value!r}, which it never is", "when", other)
    return conditions
