"""Schema and target of a table, with the reason for each decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .arrays import as_array
from .errors import SchemaError
from .findings import WrongCells
from .kinds import find_column
from .leaks import leak
from .names import is_id, likely_target, nearest
from .rows import Rows
from .schema import Column, LeftOut, Schema
from .suspects import order_suspect, time_suspect
from .targets import Labels, find_target

_SAMPLE = 20_000  # rows searched for leaks
_SUGGEST_ROWS = 10_000
_FEW_VALUES = 20  # a likely target has at most this many different values
_ROLES = {
    "ignore_columns": "named in ignore_columns",
    "weight_column": "weighs the rows",
    "group_column": "groups the rows",
    "time_column": "orders the rows in time",
    "split_column": "names the split of each row",
}


@dataclass(frozen=True)
class Statements:
    """The user's statements about the columns of a table; empty ones are inferred.

    Attributes:
        task: `auto`, `classification` or `regression`.
        positive_class: One of two classes.
        categorical_columns: Columns that hold levels.
        date_columns: Columns that hold dates.
        ignore_columns: Columns to leave out.
        weight_column: Weight of each row.
        group_column: Group of each row; groups are never split.
        time_column: Time of each row; the latest rows are the test rows.
        split_column: Name of each row's split.
    """

    task: str = "auto"
    positive_class: str = ""
    categorical_columns: tuple[str, ...] = ()
    date_columns: tuple[str, ...] = ()
    ignore_columns: tuple[str, ...] = ()
    weight_column: str = ""
    group_column: str = ""
    time_column: str = ""
    split_column: str = ""


@dataclass(frozen=True)
class Inference:
    """Result of the inference.

    Attributes:
        schema: All columns but the target.
        labels: The target, and the rows that have one.
    """

    schema: Schema
    labels: Labels


def infer(table: pa.Table, target: str, request: Statements | None = None) -> Inference:
    """Kinds of columns and the task, from the rows that have a target.

    Raises:
        SchemaError: A name is not a column, the target is unusable, a few cells of a column do not fit the others, or
            no column is left to learn from.
    """
    request = request or Statements()
    names = Rows(table).names
    if not target:
        raise SchemaError(f"target must be a column, got ''; likely ones are {', '.join(suggest_targets(table)[:5])}")
    _check("target", target, names)
    roles = _roles(request, target, names)
    labels = find_target(target, table.column(target), request.task, request.positive_class)
    stated = dict.fromkeys(request.categorical_columns, "category") | dict.fromkeys(request.date_columns, "date")
    columns: list[Column] = []
    left_out: list[LeftOut] = []
    warnings = [*labels.warnings]
    for name in names:
        if name in roles:
            left_out.append(LeftOut(name, roles[name]))
        elif name != target:
            found = _column(table, name, labels, stated.get(name, ""), warnings)
            (left_out if isinstance(found, LeftOut) else columns).append(found)  # type: ignore[arg-type]
    if not columns:
        reasons = "; ".join(f"{column.name!r}: {column.why}" for column in left_out[:5])
        raise SchemaError(
            f"dataset must have a column to learn {target!r} from, got none ({reasons or 'no other column'})"
        )
    warnings += _leaks(table, columns, labels, request.time_column)
    warnings += _orders(table, [column.name for column in left_out if column.name not in roles], labels)
    return Inference(Schema(tuple(columns), tuple(left_out), tuple(warnings)), labels)


def suggest_targets(table: pa.Table) -> list[str]:
    """All columns, the likely targets first: by name, position and number of different values."""
    table = table.slice(0, _SUGGEST_ROWS)
    names = table.column_names
    scores = {}
    for position, name in enumerate(names):
        n_values = _count(table.column(position))
        score = (
            10.0 * (0 if name == "y" and "x" in names else likely_target(name))
            + 5 * (position == len(names) - 1)
            + 2 * (position == 0)
        )
        score += 3 if 2 <= n_values <= _FEW_VALUES else -20 * (n_values < 2)
        is_text = pa.types.is_string(table.schema.field(position).type)
        if (
            is_id(name)
            or (is_text and 2 * n_values > table.num_rows)
            or pa.types.is_temporal(table.schema.field(position).type)
        ):
            score -= 20
        scores[name] = score
    return sorted(names, key=lambda name: -scores[name])


def _count(column: pa.ChunkedArray) -> int:
    """Number of different values of a column; 0 if cells hold several values."""
    if pa.types.is_nested(column.type):
        return 0
    array = as_array(column, "")
    return int(pc.count_distinct(array.dictionary if pa.types.is_dictionary(array.type) else array).as_py())


def _column(table: pa.Table, name: str, labels: Labels, stated: str, warnings: list[str]) -> Column | LeftOut:
    column = table.column(name)
    if pa.types.is_nested(column.type):
        return LeftOut(name, f"holds several values per cell ({column.type})")
    try:
        return find_column(
            name, as_array(column.take(labels.rows) if labels.n_missing else column, name), stated, warnings
        )
    except WrongCells as wrong:
        raise wrong.moved(labels.rows) from None


def _roles(request: Statements, target: str, names: list[str]) -> dict[str, str]:
    """Columns that are left out at the user's request, with the reasons.

    Raises:
        SchemaError: A name is not a column, is the target, or has two roles.
    """
    given = {
        "categorical_columns": request.categorical_columns,
        "date_columns": request.date_columns,
        **{role: getattr(request, role) for role in _ROLES},
    }
    parameter_of: dict[str, str] = {}
    reasons = {}
    for parameter, value in given.items():
        for name in (value,) if isinstance(value, str) else value:
            if not name:
                continue
            _check(parameter, name, names)
            if name == target:
                raise SchemaError(f"{parameter} must not hold the target, got {name!r}")
            if parameter_of.setdefault(name, parameter) != parameter:
                raise SchemaError(f"{parameter} must not hold a column of {parameter_of[name]}, got {name!r}")
            if parameter in _ROLES:
                reasons[name] = _ROLES[parameter]
    return reasons


def _check(parameter: str, name: str, names: list[str]) -> None:
    if name not in names:
        raise SchemaError(f"{parameter} must name a column, got {name!r}{nearest(name, names)}")


def _leaks(table: pa.Table, columns: Iterable[Column], labels: Labels, time_column: str) -> list[str]:
    sample, values = _sample(labels)
    time = _time(table, time_column, sample)
    lines = []
    for column in columns:
        cells = _cells(table, column.name, sample)
        clause = leak(column, cells, labels.target, values)
        if not clause and time and column.kind == "date":
            clause = time_suspect(column, cells, *time, labels.target, values)
        if clause:
            lines.append(f"{clause}; if it is not known before the target, name it in ignore_columns")
    return lines


def _orders(table: pa.Table, names: Iterable[str], labels: Labels) -> list[str]:
    """Lines on left-out columns, none of which the user named, that order the target."""
    sample, values = _sample(labels)
    flat = [name for name in names if not pa.types.is_nested(table.column(name).type)]
    lines = (order_suspect(name, _cells(table, name, sample), labels.target, values) for name in flat)
    return [line for line in lines if line]


def _sample(labels: Labels) -> tuple[np.ndarray, np.ndarray]:
    """Positions of at most 20,000 rows with a target, and their targets."""
    n = len(labels.rows)
    sample = np.sort(np.random.default_rng(0).choice(n, min(n, _SAMPLE), replace=False))
    return labels.rows[sample], labels.values[sample]


def _cells(table: pa.Table, name: str, rows: np.ndarray) -> pa.Array:
    return as_array(table.column(name).take(pa.array(rows)), name)


def _time(table: pa.Table, name: str, rows: np.ndarray) -> tuple[Column, pa.Array] | None:
    """The column that orders the rows in time, and its cells; None if it does not hold dates."""
    if not name:
        return None
    try:
        found = find_column(name, as_array(table.column(name), name), "", [])
    except SchemaError:  # a cell that is not a time is refused when the rows are split
        return None
    return (found, _cells(table, name, rows)) if isinstance(found, Column) and found.kind == "date" else None
