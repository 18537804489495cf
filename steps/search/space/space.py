"""Search spaces: dimensions in the order of sampling -> suggestions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import BaseTrial

from steps.base.errors import InputError
from steps.mlp.config import MLPConfig, per_layer, without_layer

_DEFAULTS = MLPConfig().to_hyperparameters()


@dataclass(frozen=True)
class Dimension:
    """One line of a space: a distribution or a fixed value, its condition, and its number of repetitions.

    Attributes:
        name: Name of the hyperparameter; with `repeat`, of `<name>_0`, `<name>_1`, ...
        distribution: None for a fixed value.
        value: The fixed value.
        when: Values of earlier hyperparameters for which this one exists.
        repeat: Earlier hyperparameter that holds the number of repetitions.
        default: Value in a point that omits it; None for the default of `MLPConfig`.
    """

    name: str
    distribution: BaseDistribution | None
    value: Any = None
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    repeat: str | None = None
    default: Any = None

    def names(self, chosen: Mapping[str, Any]) -> list[str]:
        """Names of the hyperparameters of this dimension, given the values of earlier ones."""
        if any(chosen.get(other) not in values for other, values in self.when.items()):
            return []
        return [self.name] if self.repeat is None else per_layer(self.name, chosen.get(self.repeat, 0))

    def start(self, name: str) -> Any:
        """The value of a hyperparameter in a point that omits it: the default moved to the nearest value."""
        if self.distribution is None:
            return self.value
        return nearest(self.distribution, default(name) if self.default is None else self.default)

    def describe(self) -> str:
        """The dimension in one line; equal lines are equal dimensions."""
        parts = [_describe(self.distribution) if self.distribution else f"fixed at {json.dumps(self.value)}"]
        parts += [f"when {other} is {' or '.join(map(json.dumps, values))}" for other, values in self.when.items()]
        return ", ".join(parts + ([f"for each of {self.repeat}"] if self.repeat else []))


@dataclass(frozen=True)
class Space:
    """A search space: its dimensions in the order of sampling, and the text they were read from."""

    dimensions: tuple[Dimension, ...]
    text: str = ""

    @property
    def start(self) -> dict[str, Any] | None:
        """The point that a study tries first: the defaults of the space, if it has any."""
        return self.complete({}) if any(d.default is not None for d in self.dimensions) else None

    @property
    def digest(self) -> str:
        """SHA-256 over all dimensions in their order, independent of the formatting of the file."""
        return hashlib.sha256(json.dumps([[d.name, d.describe()] for d in self.dimensions]).encode()).hexdigest()

    def suggest(self, trial: BaseTrial) -> dict[str, Any]:
        """The hyperparameters of one trial; conditional ones only if they apply.

        Raises:
            ValueError: The trial was enqueued, by hand or for another space, with a value that this one does not have.
        """
        chosen: dict[str, Any] = {}
        for dimension in self.dimensions:
            for name in dimension.names(chosen):
                if dimension.distribution is None:
                    chosen[name] = dimension.value
                else:
                    value = _suggest(trial, name, dimension.distribution)
                    chosen[name] = _checked(name, value, dimension.distribution)
        return chosen

    def complete(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """A point with all hyperparameters of its branch; omitted ones take their defaults.

        The default is that of the space, else that of `MLPConfig`, moved to the nearest value in the space.

        Raises:
            InputError: A name or a value is not in the space.
        """
        chosen: dict[str, Any] = {}
        for dimension in self.dimensions:
            for name in dimension.names(chosen):
                if dimension.distribution is None or name not in point:
                    chosen[name] = dimension.start(name)
                else:
                    chosen[name] = _checked(name, point[name], dimension.distribution)
        if unknown := sorted(set(point) - set(chosen)):
            raise InputError(f"{unknown[0]} must be a hyperparameter of the point's branch of the space, got {point!r}")
        return chosen

    def key(self, parameters: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
        """Key that is equal for equal configurations: searched hyperparameters only, numbers to ten digits."""
        distributions = {d.name: d.distribution for d in self.dimensions if d.distribution is not None}
        found = set()
        for name, value in parameters.items():
            distribution = distributions.get(without_layer(name))
            if distribution is not None and contains(distribution, value):
                found.add((name, f"{distribution.to_internal_repr(value):.10g}"))
        return frozenset(found)

    def fixing(self, values: Mapping[str, Any]) -> Space:
        """This space with some of its hyperparameters fixed; names that it does not have are ignored."""
        dimensions = (Dimension(d.name, None, values[d.name]) if d.name in values else d for d in self.dimensions)
        return Space(tuple(dimensions), self.text)


def default(name: str) -> Any:
    """The default of a hyperparameter: that of `MLPConfig`; layers beyond its own are as wide as the first."""
    return _DEFAULTS.get(name, MLPConfig.units[0])


def contains(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return any(isinstance(value, bool) == isinstance(c, bool) and value == c for c in distribution.choices)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    if not distribution.low <= value <= distribution.high:
        return False
    steps = 0.0 if distribution.step is None else (value - distribution.low) / distribution.step
    return abs(steps - round(steps)) < 1e-8


def nearest(distribution: BaseDistribution, value: Any) -> Any:
    """The nearest value of the distribution; for non-numeric choices that do not include the value, the first."""
    if contains(distribution, value):
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(distribution, CategoricalDistribution):
        numbers = [c for c in distribution.choices if isinstance(c, int | float) and not isinstance(c, bool)]
        return min(numbers, key=lambda c: abs(c - value)) if is_number and numbers else distribution.choices[0]
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    low, high = distribution.low, distribution.high
    inside = min(max(value, low), high) if is_number else low
    return type(low)(min(on_step(distribution, inside), high))


def on_step(distribution: IntDistribution | FloatDistribution, value: float) -> float:
    """The nearest step, as one would write it: 0.3 rather than 0.1 + 2 * 0.1; without steps, the value itself."""
    if distribution.step is None:
        return value
    n = round((value - distribution.low) / distribution.step)
    return float(
        min(Decimal(str(distribution.low)) + n * Decimal(str(distribution.step)), Decimal(str(distribution.high)))
    )


def _describe(distribution: BaseDistribution) -> str:
    if isinstance(distribution, CategoricalDistribution):
        return f"categorical {', '.join(map(json.dumps, distribution.choices))}"
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    kind = "int" if isinstance(distribution, IntDistribution) else "float"
    step = f", step {distribution.step}" if distribution.step and (kind, distribution.step) != ("int", 1) else ""
    return f"{kind} {distribution.low} to {distribution.high}{step}" + (", log" if distribution.log else "")


def _suggest(trial: BaseTrial, name: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(
            name, distribution.low, distribution.high, step=distribution.step, log=distribution.log
        )
    assert isinstance(distribution, FloatDistribution)
    value = trial.suggest_float(name, distribution.low, distribution.high, step=distribution.step, log=distribution.log)
    return on_step(distribution, value)


def _checked(name: str, value: Any, distribution: BaseDistribution) -> Any:
    if not contains(distribution, value):
        raise InputError(f"{name} must be inside the space ({distribution}), got {value!r}")
    return value
