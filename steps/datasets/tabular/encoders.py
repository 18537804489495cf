"""Encoders of one column, by kind; fitted on training rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .arrays import Cells
from .dates import circle, local, part, seconds
from .schema import Column
from .values import Fault, read_booleans, read_dates, read_numbers
from .words import Levels, words

ONE_HOT_LEVELS = 8  # levels of a category; larger ones are embedded
RARE = 2  # training rows that a level needs for an embedding of its own
_FARTHEST = 1e6  # scaled numbers are clipped here; the curve has long been flat


@dataclass(frozen=True)
class Fit:
    """Statistics of a column in the training rows.

    Attributes:
        centre: Median of a number or of a date's seconds.
        scale: Interquartile range, > 0.
        unknown: Positions of the levels that are absent from the training rows, or too rare to learn.
    """

    centre: float = 0.0
    scale: float = 1.0
    unknown: tuple[int, ...] = ()


class Encoder(Protocol):
    """Encodes a column.

    Attributes:
        names: Names of its dense features.
        n_levels: Number of its rows in the embedding table; 0 if it is dense.
    """

    names: tuple[str, ...]
    n_levels: int

    def fitted(self, cells: Cells) -> Fit:
        """Statistics of the column in these training rows."""

    def fill(self, out: np.ndarray, cells: Cells, faults: list[Fault]) -> None:
        """Write (n, features) into `out`, which is zeroed: the dense features, or level numbers from 0."""


class NumberEncoder:
    """x ↦ z/√(1 + (z/3)²) with z = (x − median) / (upper − lower quartile), and an indicator of missing ones.

    Source: RealMLP, Holzmüller et al., "Better by Default", NeurIPS 2024.
    """

    n_levels = 0

    def __init__(self, column: Column, fit: Fit) -> None:
        self._column, self._fit = column, fit
        self.names = (column.name, *_indicator(column))

    def fitted(self, cells: Cells) -> Fit:
        return _spread(read_numbers(self._column, cells, []))

    def fill(self, out: np.ndarray, cells: Cells, faults: list[Fault]) -> None:
        _fill_scaled(out, read_numbers(self._column, cells, faults), self._fit)


class BooleanEncoder:
    """False −1, true 1, missing and anything else 0."""

    n_levels = 0

    def __init__(self, column: Column, fit: Fit) -> None:
        self.names: tuple[str, ...] = (column.name,)

    def fitted(self, cells: Cells) -> Fit:
        return Fit()

    def fill(self, out: np.ndarray, cells: Cells, faults: list[Fault]) -> None:
        out[:, 0] = np.nan_to_num(2 * read_booleans(cells) - 1)


class PairEncoder:
    """First of two levels −1, second 1, missing or unseen 0."""

    n_levels = 0

    def __init__(self, column: Column, fit: Fit) -> None:
        self._levels = Levels(column.levels)
        self.names: tuple[str, ...] = (column.name,)

    def fitted(self, cells: Cells) -> Fit:
        return Fit()

    def fill(self, out: np.ndarray, cells: Cells, faults: list[Fault]) -> None:
        out[:, 0] = np.array([-1, 1, 0], np.float32)[self._levels.indices(cells)]


class OneHotEncoder:
    """One-hot features of the levels, plus one for missing; an unseen level is 0 in all of them."""

    n_levels = 0

    def __init__(self, column: Column, fit: Fit) -> None:
        self._levels = Levels(column.levels)
        self.names = (*(f"{column.name}={level}" for level in column.levels), *_indicator(column))
        self._n = len(column.levels)
        self._codes = np.eye(self._n + 1, self._n, dtype=np.float32)  # the last row: none of the levels
        self._codes[list(fit.unknown)] = 0

    def fitted(self, cells: Cells) -> Fit:
        return Fit(unknown=_unknown(self._levels.indices(cells), self._n, 1))

    def fill(self, out: np.ndarray, cells: Cells, faults: list[Fault]) -> None:
        out[:, : self._n] = self._codes[self._levels.indices(cells)]
        if out.shape[1] > self._n:
            out[:, self._n] = _is_missing(cells)


class EmbeddedEncoder:
    """Number of the level, from 1; 0 for missing, unseen and rare ones."""

    names: tuple[str, ...] = ()

    def __init__(self, column: Column, fit: Fit) -> None:
        self._levels = Levels(column.levels)
        self.n_levels = len(column.levels) + 1
        self._codes = np.arange(1, self.n_levels + 1, dtype=np.float32)
        self._codes[[*fit.unknown, -1]] = 0  # the last one: no level

    def fitted(self, cells: Cells) -> Fit:
        return Fit(unknown=_unknown(self._levels.indices(cells), self.n_levels - 1, RARE))

    def fill(self, out: np.ndarray, cells: Cells, faults: list[Fault]) -> None:
        out[:, 0] = self._codes[self._levels.indices(cells)]


class DateEncoder:
    """Sine and cosine of each part, the instant as a number, and an indicator of missing ones."""

    n_levels = 0

    def __init__(self, column: Column, fit: Fit) -> None:
        self._column, self._fit = column, fit
        parts = (f"{column.name} {name} {wave}" for name in column.parts for wave in ("sine", "cosine"))
        self.names = (*parts, column.name, *_indicator(column))

    def fitted(self, cells: Cells) -> Fit:
        return _spread(seconds(read_dates(self._column, cells, [])))

    def fill(self, out: np.ndarray, cells: Cells, faults: list[Fault]) -> None:
        dates = read_dates(self._column, cells, faults)
        clock = local(dates, self._column.zone)
        for i, name in enumerate(self._column.parts):
            out[:, 2 * i], out[:, 2 * i + 1] = circle(part(clock, name), name)
        _fill_scaled(out[:, 2 * len(self._column.parts) :], seconds(dates), self._fit)


def encoder_of(column: Column, fit: Fit) -> Encoder:
    """The encoder of a column by its kind and the number of its levels."""
    if column.kind != "category":
        return _BY_KIND[column.kind](column, fit)
    if len(column.levels) <= 2:
        return PairEncoder(column, fit)
    return (OneHotEncoder if len(column.levels) <= ONE_HOT_LEVELS else EmbeddedEncoder)(column, fit)


_BY_KIND: dict[str, Callable[[Column, Fit], Encoder]] = {
    "number": NumberEncoder,
    "boolean": BooleanEncoder,
    "date": DateEncoder,
}


def _indicator(column: Column) -> tuple[str, ...]:
    return (f"{column.name} missing",) if column.n_missing else ()


def _is_missing(cells: Cells) -> np.ndarray:
    positions, found = words(cells)
    missing: np.ndarray = np.array([*(word is None for word in found), True])[positions]
    return missing


def _unknown(indices: np.ndarray, n: int, least: int) -> tuple[int, ...]:
    counts = np.bincount(indices[indices >= 0], minlength=n)
    return tuple(np.flatnonzero(counts < least).tolist())


def _spread(numbers: np.ndarray) -> Fit:
    present = numbers[~np.isnan(numbers)]
    if not len(present):
        return Fit()
    low, lower, centre, upper, high = np.percentile(present, [0, 25, 50, 75, 100]).tolist()
    return Fit(centre, (upper - lower) or (high - low) / 2 or 1.0)


def _fill_scaled(out: np.ndarray, numbers: np.ndarray, fit: Fit) -> None:
    z = np.clip((numbers - fit.centre) / fit.scale, -_FARTHEST, _FARTHEST)
    missing = np.isnan(z)
    out[:, 0] = np.where(missing, 0, z / np.sqrt(1 + (z / 3) ** 2))
    if out.shape[1] > 1:
        out[:, 1] = missing
