"""Partial dependence: the outputs of a model as one column of its input changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from steps.datasets.tabular.schema import Column, Kind
from steps.datasets.tabular.values import canonical

LOW, HIGH = 0.1, 0.9  # quantiles of the individual curves
MAX_ROWS = 200
_POINTS = 16  # numbers and dates
_LEVELS = 12
MAX_OUTPUTS = 5  # outputs, such as the probabilities of several classes


@dataclass(frozen=True)
class Curve:
    """One output of a model at each place of a column.

    Attributes:
        name: Of the output, such as a class.
        mean: Mean over the rows.
        low, high: 10 % and 90 % quantiles over the rows.
    """

    name: str
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class PartialDependence:
    """The outputs of a model if all rows had the same value in one column.

    Attributes:
        kind: That of the column.
        places: Numbers, or dates in seconds since 1970 UTC, ascending; empty for levels.
        levels: The most frequent levels; empty for numbers and dates.
        curves: Of at most five outputs.
    """

    column: str
    kind: Kind
    places: tuple[float, ...]
    levels: tuple[str, ...]
    curves: tuple[Curve, ...]


def partial_dependences(
    predict: Callable[[pd.DataFrame], Mapping[str, np.ndarray]],
    rows: pd.DataFrame,
    columns: Sequence[Column],
    seed: int,
) -> tuple[PartialDependence, ...]:
    """The dependence on each column that has at least two values, on at most 200 rows.

    Of more than five outputs, those are kept that change most with any of the columns: the same for each column.

    The mean over rows is that of Friedman (Annals of Statistics 29, 2001), the quantiles are those of the curves of
    single rows (Goldstein et al., Journal of Computational and Graphical Statistics 24, 2015). The places are values
    that occur: of numbers and dates 16 quantiles from 2 % to 98 %, of categories the 12 most frequent levels.

    Args:
        predict: Raw rows -> (n,) numbers by the name of the output.
        rows: Raw rows.
    """
    chosen = np.random.default_rng(seed).permutation(len(rows))[:MAX_ROWS]
    sample = rows.iloc[chosen].reset_index(drop=True)
    found = (_dependence(predict, rows, sample, column) for column in columns)
    return _of_few_outputs([dependence for dependence in found if dependence is not None])


def _of_few_outputs(found: Sequence[PartialDependence]) -> tuple[PartialDependence, ...]:
    changes: dict[str, float] = {}
    for dependence in found:
        for curve in dependence.curves:
            changes[curve.name] = max(changes.get(curve.name, 0.0), max(curve.mean) - min(curve.mean))
    kept = set(sorted(changes, key=lambda name: -changes[name])[:MAX_OUTPUTS])
    return tuple(
        replace(dependence, curves=tuple(curve for curve in dependence.curves if curve.name in kept))
        for dependence in found
    )


def _dependence(
    predict: Callable[[pd.DataFrame], Mapping[str, np.ndarray]],
    rows: pd.DataFrame,
    sample: pd.DataFrame,
    column: Column,
) -> PartialDependence | None:
    values = canonical(column, rows[column.name], [])
    is_level = column.kind in ("category", "boolean")
    cells = _frequent(values) if is_level else _spread(values)
    if len(cells) < 2:
        return None
    given = pd.concat([sample] * len(cells), ignore_index=True)
    given[column.name] = rows[column.name].iloc[np.repeat(cells, len(sample))].array
    shape = len(cells), len(sample)  # (n_places · n_rows,) -> (n_places, n_rows)
    curves = [_curve(name, outputs.reshape(shape)) for name, outputs in predict(given).items()]
    at = [values[cell] for cell in cells]
    return PartialDependence(
        column.name,
        column.kind,
        places=() if is_level else tuple(_number(value) for value in at),
        levels=tuple(column.written(value.as_py()) for value in at) if is_level else (),
        curves=tuple(curves),
    )


def _frequent(values: pa.Array) -> list[int]:
    """Indices of a row of each of the most frequent levels."""
    counts = values.drop_null().value_counts().sort(order="descending", by="counts")
    return [values.index(level).as_py() for level in counts.field("values")[:_LEVELS]]


def _spread(values: pa.Array) -> list[int]:
    """Indices of rows at the quantiles of numbers or dates, without repetitions."""
    order = pc.array_sort_indices(values.drop_null())
    present = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))[order.to_numpy()]
    if not len(present):
        return []
    quantiles = np.linspace(0.02, 0.98, _POINTS) * (len(present) - 1)
    places: dict[object, int] = {values[i]: i for i in present[quantiles.round().astype(int)].tolist()}
    return list(places.values())


def _number(value: pa.Scalar) -> float:
    found = value.as_py()
    return float(found.timestamp() if hasattr(found, "timestamp") else found)


def _curve(name: str, outputs: np.ndarray) -> Curve:
    low, high = np.quantile(outputs, (LOW, HIGH), axis=1)
    return Curve(name, tuple(outputs.mean(1).tolist()), tuple(low.tolist()), tuple(high.tolist()))
