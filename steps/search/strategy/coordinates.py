"""Points of a space as vectors: one coordinate from 0 to 1 for each hyperparameter that a point can have."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from steps.mlp.config import per_layer
from steps.search.space.space import Dimension, Space, nearest


class Axis:
    """One hyperparameter: its range, logarithmic if that is so, or the ranks of its choices.

    Attributes:
        default: Coordinate of the default of the space.
        is_word: Whether two values are just equal or different: choices that are not all numbers.
        n_values: Number of values if they are evenly spaced; None for other ranges.
    """

    def __init__(self, name: str, dimension: Dimension, distribution: BaseDistribution) -> None:
        self.distribution = distribution
        self.is_word = False
        self._choices: tuple[Any, ...] = ()
        if isinstance(distribution, CategoricalDistribution):
            numbers = [c for c in distribution.choices if isinstance(c, int | float) and not isinstance(c, bool)]
            self.is_word = len(numbers) < len(distribution.choices)
            self._choices = distribution.choices if self.is_word else tuple(sorted(numbers))
            self.n_values: int | None = len(self._choices)
        else:
            assert isinstance(distribution, FloatDistribution | IntDistribution)
            self._is_log = distribution.log
            self._low, self._high = self._scaled(distribution.low), self._scaled(distribution.high)
            step = None if distribution.log else distribution.step
            self.n_values = None if step is None else 1 + round((self._high - self._low) / step)
        self.default = self.coordinate(dimension.start(name))

    def coordinate(self, value: Any) -> float:
        if self._choices:
            return self._choices.index(value) / max(1, len(self._choices) - 1)
        length = self._high - self._low
        return (self._scaled(value) - self._low) / length if length else 0.0

    def value(self, coordinate: float) -> Any:
        """The value nearest to a coordinate."""
        if self._choices:
            return self._choices[round(coordinate * (len(self._choices) - 1))]
        value = self._low + coordinate * (self._high - self._low)
        value = float(f"{math.exp(value) if self._is_log else value:.10g}")  # 0.002, not 0.0020000000000000005
        return nearest(self.distribution, round(value) if isinstance(self.distribution, IntDistribution) else value)

    def _scaled(self, value: float) -> float:
        return math.log(value) if self._is_log else float(value)


class Coordinates:
    """The coordinates of a space. A hyperparameter that a point does not have stands at its default.

    Attributes:
        axes: By name, in the order of sampling.
        default: (n_coordinates,) the default of the space.
        is_word: (n_coordinates,) bool, see `Axis`.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self.axes: dict[str, Axis] = {}
        known = {dimension.name: dimension for dimension in space.dimensions}
        for dimension in space.dimensions:
            if dimension.distribution is not None:
                names = [dimension.name]
                if dimension.repeat is not None:
                    names = per_layer(dimension.name, _highest(known[dimension.repeat]))
                self.axes |= {name: Axis(name, dimension, dimension.distribution) for name in names}
        self.default = np.array([axis.default for axis in self.axes.values()])
        self.is_word = np.array([axis.is_word for axis in self.axes.values()])
        parents = {other for d in space.dimensions for other in (*d.when, d.repeat)}
        self._parents = [i for i, name in enumerate(self.axes) if name in parents]

    def vectors(self, points: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """(n, n_coordinates) of points, whose other hyperparameters are ignored."""
        vectors = np.tile(self.default, (len(points), 1))
        for i, (name, axis) in enumerate(self.axes.items()):
            for vector, point in zip(vectors, points, strict=True):
                if name in point:
                    vector[i] = axis.coordinate(point[name])
        return vectors

    def point(self, vector: np.ndarray) -> dict[str, Any]:
        """The hyperparameters of a point, without fixed ones."""
        coordinates = dict(zip(self.axes, vector.tolist(), strict=True))
        chosen: dict[str, Any] = {}
        for dimension in self._space.dimensions:
            for name in dimension.names(chosen):
                fixed = dimension.distribution is None
                chosen[name] = dimension.value if fixed else self.axes[name].value(coordinates[name])
        return {name: value for name, value in chosen.items() if name in self.axes}

    def settled(self, vectors: np.ndarray) -> np.ndarray:
        """The nearest vectors of points: inside, on the steps, and without hyperparameters that do not apply."""
        vectors = np.clip(vectors, 0, 1)
        for i, axis in enumerate(self.axes.values()):
            if axis.n_values is not None:
                n_steps = max(1, axis.n_values - 1)
                vectors[:, i] = np.round(vectors[:, i] * n_steps) / n_steps
        _, firsts, groups = np.unique(vectors[:, self._parents], axis=0, return_index=True, return_inverse=True)
        for group, first in enumerate(firsts):
            applies = self.point(vectors[first])
            absent = [i for i, name in enumerate(self.axes) if name not in applies]
            vectors[np.ix_(groups == group, absent)] = self.default[absent]
        return vectors


def _highest(dimension: Dimension) -> int:
    """The highest number of layers."""
    known = dimension.distribution
    if isinstance(known, CategoricalDistribution):
        return max(int(choice) for choice in known.choices if choice)
    return known.high if isinstance(known, IntDistribution) else int(dimension.value)
