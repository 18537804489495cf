"""Tables that cannot be used, each with one line that names the column and the row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from steps.datasets.tabular.errors import SchemaError
from steps.datasets.tabular.inference import Statements, infer

N = 100
Y = ["a", "b"] * (N // 2)
X = np.random.default_rng(0).normal(size=N)
NUMBERS = [*map(str, range(1000, 1000 + N))]
DATES = [f"2024-01-{1 + i % 31:02d}" for i in range(N)]
CHURN = pa.table({"customer": X, "churn": Y, "month": [1, 2] * (N // 2), "weight": np.abs(X), "day": DATES})


def with_(cells: list[Any], row: int, *values: Any) -> list[Any]:
    """The cells with other ones from a row on, rows from 1."""
    return [*cells[: row - 1], *values, *cells[row - 1 + len(values) :]]


@pytest.mark.parametrize(
    ("columns", "target", "request_", "message"),
    [
        (CHURN, "", {}, "target must be a column, got ''; likely ones are churn, day, month, "),
        (CHURN, "Churn", {}, "target must name a column, got 'Churn'; did you mean 'churn'?"),
        (CHURN, "chrun", {}, "target must name a column, got 'chrun'; did you mean 'churn'?"),
        (CHURN, "qqq", {}, "target must name a column, got 'qqq'; there are customer, churn, month, weight, day"),
        (CHURN, "churn", {"ignore_columns": ("mont",)},
         "ignore_columns must name a column, got 'mont'; did you mean 'month'?"),
        (CHURN, "churn", {"categorical_columns": ("x",)}, "categorical_columns must name a column, got 'x'; there are"),
        (CHURN, "churn", {"date_columns": ("days",)},
         "date_columns must name a column, got 'days'; did you mean 'day'?"),
        (CHURN, "churn", {"group_column": "custumer"}, "group_column must name a column, got 'custumer'; did you mean"),
        (CHURN, "churn", {"weight_column": "wait"},
         "weight_column must name a column, got 'wait'; did you mean 'weight'?"),
        (CHURN, "churn", {"ignore_columns": ("churn",)}, "ignore_columns must not hold the target, got 'churn'"),
        (CHURN, "churn", {"time_column": "churn"}, "time_column must not hold the target, got 'churn'"),
        (CHURN, "churn", {"ignore_columns": ("day",), "date_columns": ("day",)},
         "ignore_columns must not hold a column of date_columns, got 'day'"),
        (CHURN, "churn", {"split_column": "month", "group_column": "month"},
         "split_column must not hold a column of group_column, got 'month'"),
        (CHURN, "churn", {"date_columns": ("weight",)},
         "date_columns must hold dates, got '0.1257302' in column 'weight'"),
        (CHURN, "churn", {"positive_class": "c"}, "positive_class must be 'a' or 'b', got 'c'"),
        (CHURN, "churn", {"task": "regression"},
         "task must be classification for a target of words, got regression; row 1 has 'a'"),
        (CHURN, "customer", {"positive_class": "a"}, "positive_class must be empty for a target of numbers, got 'a'"),
        ({"y": ["a"] * N, "x": X}, "y", {}, "target must have several classes, got 'a' in all 100 rows of 'y'"),
        ({"y": [7] * N, "x": X}, "y", {}, "target must have several classes, got '7' in all 100 rows of 'y'"),
        ({"y": [7.5] * N, "x": X}, "y", {}, "target must vary, got 7.5 in all 100 rows of 'y'"),
        ({"y": [None] * N, "x": X}, "y", {}, "target must have values, got only missing ones in column 'y'"),
        ({"y": [np.nan] * N, "x": X}, "y", {}, "target must have values, got only missing ones in column 'y'"),
        ({"y": ["?"] * N, "x": X}, "y", {}, "target must have values, got only missing ones in column 'y'"),
        ({"y": [*"ab" * 49, "c", "a"], "x": X}, "y", {},
         "target must have each class at least twice, got 'c' only in row 99 of 'y'; leave such rows"),
        ({"y": [f"{i}x" for i in range(N)], "x": X}, "y", {},
         "target must hold classes or numbers, got 100 different words in 100 rows of 'y'"),
        ({"y": X, "x": X}, "y", {"task": "classification"},
         "task must be regression for a target with 100 different numbers in 100 rows, got 'classification' for 'y'"),
        ({"y": [*X[:-1], np.inf], "x": X}, "y", {},
         "column 'y' must be a number within ±3e+38, got inf in row 100"),
        ({"y": [*X[:-1], 1e308], "x": X}, "y", {}, "column 'y' must be a number within ±3e+38, got 1e+308 in row 100"),
        ({"y": with_(NUMBERS, 8, "many"), "x": X}, "y", {},
         "column 'y' must be a number within ±3e+38, got 'many' in row 8"),
        ({"y": ["a", "b", "c", "d"] * 25, "x": X}, "y", {"positive_class": "a"},
         "positive_class must be empty for 4 classes, got 'a'"),
        ({"y": Y, "x": with_([*X], 3, np.inf)}, "y", {},
         "column 'x' must be a number within ±3e+38, got inf in row 3; correct the table, or name the column in"),
        ({"y": Y, "x": with_([*X], 5, -1e308)}, "y", {},
         "column 'x' must be a number within ±3e+38, got -1e+308 in row 5"),
        ({"y": Y, "x": with_(NUMBERS, 7, "many", "few", "none")}, "y", {},
         "column 'x' must be a number within ±3e+38, got 'many' in row 7, and 2 more such cells; correct the table"),
        ({"y": [None, *Y[1:]], "x": with_(NUMBERS, 7, "many")}, "y", {},
         "column 'x' must be a number within ±3e+38, got 'many' in row 7"),
        ({"y": Y, "x": with_(DATES, 9, "2024-02-30")}, "y", {},
         "column 'x' must be a date as '2024-01-01', got '2024-02-30' in row 9; correct the table"),
        ({"y": Y, "x": with_([f"{1 + i % 30:02d}.06.2024" for i in range(N)], 9, "31.06.2024")}, "y", {},
         "column 'x' must be a date as '01.06.2024', got '31.06.2024' in row 9"),
        ({"y": Y, "x": [f"w{i}" for i in range(N)]}, "y", {},
         "dataset must have a column to learn 'y' from, got none ('x': identifies each row: no word occurs twice)"),
        ({"y": Y}, "y", {}, "dataset must have a column to learn 'y' from, got none (no other column)"),
        ({"y": Y, "x": ["c"] * N, "z": [None] * N}, "y", {},
         "dataset must have a column to learn 'y' from, got none ('x': is always 'c'; 'z': has no values)"),
        (pa.table([Y, X, X], names=["y", "x", "x"]), "y", {},
         "column 'x' occurs twice; give each column a name of its own"),
        ({"y": pa.array([[1]] * N), "x": X}, "y", {}, "column 'y' must hold one value per cell, got list"),
        ({"y": pa.array([1] * N, pa.timestamp("us")), "x": X}, "y", {},
         "target must hold classes or numbers, got timestamp[us] in column 'y'"),
    ],
)  # fmt: skip
def test_a_bad_table_is_refused_with_one_line(
    columns: Any, target: str, request_: dict[str, Any], message: str
) -> None:
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    with pytest.raises(SchemaError) as raised:
        infer(table, target, Statements(**request_))
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


def test_a_column_with_more_levels_than_can_be_embedded_cannot_be_a_category() -> None:
    n = 11_000
    rows = pa.table({"y": ["a", "b"] * (n // 2), "x": np.arange(n) % 7, "z": np.arange(n)})
    with pytest.raises(
        SchemaError, match="categorical_columns must have at most 10,000 levels each, got 11,000 in column 'z'"
    ):
        infer(rows, "y", Statements(categorical_columns=("z",)))
