"""Kinds, roles and leaks of columns, decided as a person would."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from steps.datasets.tabular.encoding import Encoding
from steps.datasets.tabular.inference import Inference, Statements, infer, suggest_targets
from steps.datasets.tabular.schema import Column, LeftOut

N = 200
RANDOM = np.random.default_rng(0)
NOISE = RANDOM.normal(size=N)
CLASSES = ["a", "b"] * (N // 2)
DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(days=i) for i in range(N)]


def table(**columns: Any) -> pa.Table:
    """Rows with a target, noise to learn from, and more columns, each repeated to the same length."""
    repeated = {
        name: column if isinstance(column, pa.Array) else pa.array([*column] * (N // len(column)))
        for name, column in columns.items()
    }
    return pa.table({"y": CLASSES, "noise": NOISE, **repeated})


def found(name: str, cells: Any, **request: Any) -> Column | LeftOut:
    """The inferred column with this name."""
    schema = infer(table(**{name: cells}), "y", Statements(**request)).schema
    return next(column for column in (*schema.columns, *schema.left_out) if column.name == name)


def mixed(*values: Any) -> list[Any]:
    """Values in an order that tells nothing of the target."""
    return [values[i] for i in RANDOM.integers(0, len(values), N)]


def written(pattern: str) -> list[str]:
    return [day.strftime(pattern) for day in DAYS]


@pytest.mark.parametrize(
    ("name", "cells", "kind", "why"),
    [
        ("size", NOISE + 1, "number", "numbers"),
        ("children", mixed(0, 1, 2, 3), "number", "whole numbers"),
        ("cylinders", mixed(4, 6, 8), "number", "whole numbers"),
        ("stars", mixed(1.0, 2.0, 3.0, None), "number", "whole numbers"),
        ("pay", [Decimal(i) / 4 for i in range(N)], "number", "numbers"),
        ("pay", [f"{i},5" for i in range(1000, 1000 + N)], "number", "numbers"),
        ("pay", [f"{i},123.5" for i in range(1, 1 + N)], "number", "numbers"),
        ("rate", [f"{i / 10}%" for i in range(N)], "number", "numbers"),
        ("cost", [f"${i},123.50" for i in range(1, 1 + N)], "number", "numbers"),
        ("year", [*range(1900, 1900 + N)], "number", "whole numbers"),
        ("total", [*map(str, RANDOM.integers(0, 10**6, N))], "number", "whole numbers"),
        ("total", [" ", *map(str, RANDOM.integers(0, 10**6, N - 1))], "number", "whole numbers"),
        ("zip", mixed(53111, 53113, 10115), "category", "codes, judging by its name"),
        ("zip", mixed("01067", "01069", "10115"), "category", "words"),
        ("month", mixed(*range(1, 13)), "category", "codes, judging by its name"),
        ("store_id", mixed(*range(10)), "category", "codes, judging by its name"),
        ("ProductCode", mixed(10, 20, 30), "category", "codes, judging by its name"),
        ("Pclass", mixed(1, 2, 3), "category", "codes, judging by its name"),
        ("sexes", mixed(1, 2), "category", "two whole numbers"),
        ("town", mixed("Bonn", "Köln", None), "category", "words"),
        ("only", mixed("x", None), "category", "words"),
        ("answer", mixed("1", "2", "3", "many"), "category", "words"),
        ("town", pa.array(mixed("Bonn", "Köln", "Ulm")).dictionary_encode(), "category", "words"),
        ("stage", mixed("f", "n"), "category", "words"),
        ("new", mixed(True, False), "boolean", "only False and True"),
        ("new", mixed(0, 1), "boolean", "only 0 and 1"),
        ("new", mixed(0.0, 1.0, None), "boolean", "only 0 and 1"),
        ("new", mixed("N", "Y", ""), "boolean", "only N and Y"),
        ("new", mixed("yes", "No", "YES"), "boolean", "only No and"),
        ("new", mixed("yes", None), "boolean", "only yes"),
        ("day", DAYS, "date", "dates"),
        ("at", pa.array(DAYS).cast(pa.timestamp("us", "Europe/Berlin")), "date", "dates"),
        ("day", written("%Y-%m-%d"), "date", "dates"),
        ("day", written("%Y-%m-%dT%H:%M:%SZ"), "date", "dates"),
        ("day", [*written("%d.%m.%Y")[:-2], "", "NA"], "date", "dates written %d.%m.%Y"),
        ("day", written("%d/%m/%Y"), "date", "dates written %d/%m/%Y"),
        ("day", written("%m/%d/%Y %H:%M"), "date", "dates written %m/%d/%Y %H:%M"),
        ("day", written("%d-%b-%y"), "date", "dates written %d-%b-%y"),
        ("day", written("%B %d, %Y"), "date", "dates written %B %d, %Y"),
        ("timestamp", [1_700_000_000 + 5000 * i for i in range(N)], "date", "seconds since 1970, judging by its name"),
        ("amount", [1_700_000_000 + 5000 * i for i in range(N)], "number", "whole numbers"),
    ],
)
def test_a_column_has_the_kind_that_a_person_would_say(name: str, cells: Any, kind: str, why: str) -> None:
    column = found(name, cells)
    assert isinstance(column, Column), column
    assert (column.kind, column.why[: len(why)]) == (kind, why)


@pytest.mark.parametrize(
    ("name", "cells", "why"),
    [
        ("empty", pa.nulls(N), "has no values"),
        ("empty", ["?", " ", "NA", "-"], "has no values"),
        ("same", ["x"], "is always 'x'"),
        ("same", [3.0], "is always 3"),
        ("same", [DAYS[0]], "is always 2024-01-01"),
        ("same", [True], "is always 'True'"),
        ("anything", [*range(1, N + 1)], "consecutive numbers, which identify each row"),
        ("anything", [*map(str, range(N))], "consecutive numbers, which identify each row"),
        ("customerID", [*RANDOM.permutation(N)], "identifies each row: by its name, and no number occurs twice"),
        ("name", [f"name {i}" for i in range(N)], "identifies each row: no word occurs twice"),
        ("ticket", [f"ticket {i // 1.5}" for i in range(N)], "identifies nearly each row: 133 words in 200 rows"),
        ("remark", [f"he said that it was {i // 1.5} today" for i in range(N)], "free text: 133 texts in 200 rows"),
        ("user_id", [i // 4 for i in range(N)], "50 groups of rows, judging by its name; if rows with the same"),
        ("caseid", [f"1:{i // 4}" for i in range(N)], "50 groups of rows, judging by its name; if rows with the"),
        ("list", pa.array([[1, 2]] * N), "holds several values per cell (list<item: int64>)"),
        ("clock", [datetime.time(12), datetime.time(13)], "times of day or durations; to use them, write them as"),
    ],
)
def test_a_column_that_cannot_help_is_left_out_with_the_reason(name: str, cells: Any, why: str) -> None:
    column = found(name, cells)
    assert isinstance(column, LeftOut), column
    assert column.why.startswith(why)


def test_words_of_more_levels_than_are_allowed_are_left_out() -> None:
    n = 40_000
    rows = pa.table(
        {"y": ["a", "b"] * (n // 2), "noise": np.arange(n) % 7, "sku": [f"s{i % 12_000}" for i in range(n)]}
    )
    assert infer(rows, "y").schema.left_out == (
        LeftOut("sku", "12,000 different words, more than the 10,000 that can be levels"),
    )


@pytest.mark.parametrize(
    ("name", "cells", "request_", "kind"),
    [
        ("grade", mixed(1, 2, 3), {"categorical_columns": ("grade",)}, "category"),
        ("id", [*RANDOM.permutation(N)], {"categorical_columns": ("id",)}, "category"),
        ("day", [day.strftime("%Y%m%d") for day in DAYS], {"date_columns": ("day",)}, "date"),
        ("day", [int(day.strftime("%Y%m%d")) for day in DAYS], {"date_columns": ("day",)}, "date"),
        ("seen", [1_700_000_000_000 + 5000 * i for i in range(N)], {"date_columns": ("seen",)}, "date"),
    ],
)
def test_a_person_can_overrule_a_kind(name: str, cells: Any, request_: dict[str, Any], kind: str) -> None:
    column = found(name, cells, **request_)
    assert isinstance(column, Column)
    assert (column.kind, column.why) == (kind, f"named in {next(iter(request_))}")


def test_facts_of_a_column_are_kept() -> None:
    rows = table(
        age=mixed(None, *range(20, 60)), zip=mixed("01067", "1069", "NA"), at=pa.array(DAYS).cast("timestamp[s]")
    )
    age, code, at = infer(rows, "y").schema.columns[1:]
    assert (age.low, age.high, age.n_missing) == (20, 59, rows.column("age").null_count)
    assert code.levels == ("1067", "1069")
    assert (at.low, at.high, at.parts) == (1704067200, 1704067200 + 86400 * (N - 1), ("month", "weekday"))
    assert at.example == "2024-01-01T00:00:00"


def test_columns_with_a_role_are_left_out() -> None:
    rows = table(w=NOISE, g=mixed(*range(9)), t=DAYS, s=mixed("train", "test"), junk=NOISE)
    request = Statements(
        weight_column="w", group_column="g", time_column="t", split_column="s", ignore_columns=("junk",)
    )
    assert [column.why for column in infer(rows, "y", request).schema.left_out] == [
        "weighs the rows", "groups the rows", "orders the rows in time", "names the split of each row",
        "named in ignore_columns",
    ]  # fmt: skip


def test_rows_without_a_target_count_for_nothing_but_keep_their_numbers() -> None:
    rows = pa.table({"y": [None, "?", *CLASSES], "x": [None, None, *NOISE], "z": ["", "", *["a", "b", "c", "d"] * 50]})
    found = infer(rows, "y")
    assert found.labels.n_missing == 2
    assert found.labels.rows.tolist() == [*range(2, N + 2)]
    assert [column.n_missing for column in found.schema.columns] == [0, 0]


@pytest.mark.parametrize(
    ("target", "leak"),
    [
        (CLASSES, [{"a": "yes", "b": "no"}[word] for word in CLASSES]),
        (CLASSES, [1.0 if word == "a" else -1 - i % 7 for i, word in enumerate(CLASSES)]),
        (NOISE, NOISE * 1.1 + 3),
        (
            np.exp(NOISE),
            [*map(str, np.exp(NOISE).round(1))] if False else np.exp(NOISE) + 0.001 * RANDOM.normal(size=N),
        ),
    ],
)
def test_a_column_that_gives_the_target_away_is_kept_and_warned_of(target: Any, leak: Any) -> None:
    rows = pa.table({"y": target, "noise": RANDOM.normal(size=N), "leak": leak})
    schema = infer(rows, "y").schema
    assert schema.names == ("noise", "leak")
    (warning,) = schema.warnings
    assert warning.startswith("column 'leak' alone explains 1")
    assert warning.endswith("of the target; if it is not known before the target, name it in ignore_columns")


def test_a_column_that_gives_the_target_away_by_its_empty_cells_is_warned_of() -> None:
    lifeboats = [f"{RANDOM.integers(20)}" if word == "a" or i % 21 == 0 else None for i, word in enumerate(CLASSES)]
    fees = [float(RANDOM.integers(100)) if word == "a" else None for word in CLASSES]
    schema = infer(pa.table({"y": CLASSES, "noise": NOISE, "boat": lifeboats, "fee": fees}), "y").schema
    boat, fee = schema.warnings
    assert boat.startswith("column 'boat' explains 9")
    assert "of the target by its empty cells alone; if it is not known before the target, name it" in boat
    assert fee.startswith("column 'fee' explains 100.0% of the target by its empty cells alone")


def test_words_that_nearly_give_the_target_away_are_warned_of() -> None:
    severity = [("killed" if word == "a" else f"level {i % 4}") if i % 21 else "none" for i, word in enumerate(CLASSES)]
    degree = [{"killed": 4, "none": 0}.get(word, 2) for word in severity]
    rows = pa.table({"y": CLASSES, "noise": NOISE, "severity": severity, "degree": degree})
    words, numbers = infer(rows, "y").schema.warnings
    assert words.startswith("column 'severity' alone explains 9")
    assert numbers.startswith("column 'degree' alone explains 9")


def test_a_column_that_helps_much_is_not_warned_of() -> None:
    target = [word if i % 7 else "a" for i, word in enumerate(CLASSES)]
    rows = pa.table({"y": target, "z": CLASSES, "x": [NOISE[i] + 3 * (word == "a") for i, word in enumerate(CLASSES)]})
    assert infer(rows, "y").schema.warnings == ()


def test_dates_that_can_be_read_in_two_ways_are_warned_of() -> None:
    schema = infer(table(day=mixed("01/02/2024", "03/04/2024", "11/05/2023")), "y").schema
    assert schema.warnings == ("column 'day' could have day and month swapped; read as %m/%d/%Y",)
    firsts = found("day", mixed("01/02/2024", "01/04/2024", "01/05/2023"))
    assert isinstance(firsts, Column)
    assert firsts.format == "%d/%m/%Y"  # the first of each month


def test_words_among_numbers_are_warned_of() -> None:
    schema = infer(table(room=mixed(*map(str, range(100, 130)), "12a", "12b", "13a", "unknown")), "y").schema
    assert schema.columns[1].kind == "category"
    assert schema.warnings == ("column 'room' has words among its numbers; treated as words",)


def test_likely_targets_come_first() -> None:
    rows = table(id=[*range(N)], price=NOISE, churn=mixed("no", "yes"), name=[f"n{i}" for i in range(N)], day=DAYS)
    assert suggest_targets(rows)[:3] == ["y", "churn", "price"]
    assert set(suggest_targets(rows)[-3:]) == {"id", "name", "day"}


def test_all_that_was_inferred_can_be_encoded() -> None:
    rows = table(
        size=mixed(1.5, 2, None), new=mixed("no", "yes", "?"), town=mixed(*(f"town {i}" for i in range(20))),
        zip=mixed("01067", "2000"), day=written("%d.%m.%Y"), pay=[f"{i},5" for i in range(1000, 1000 + N)],
    )  # fmt: skip
    found: Inference = infer(rows, "y")
    features = Encoding.fit(found.schema, rows).encode(rows)
    assert np.isfinite(features).all()
    assert len(found.schema.columns) == 7


def test_thousands_of_columns_are_read() -> None:
    rows = pa.table({"y": CLASSES, **{f"x{i}": RANDOM.normal(size=N) for i in range(1000)}})
    assert len(infer(rows, "y").schema.columns) == 1000
