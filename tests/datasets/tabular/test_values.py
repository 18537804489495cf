"""Values by kind, from every type in which a table can hold them."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from steps.datasets.tabular.errors import SchemaError
from steps.datasets.tabular.schema import Column, Kind
from steps.datasets.tabular.values import CONTINENTAL, ENGLISH, Fault, canonical
from steps.datasets.tabular.words import MISSING, natural

NUMBER = Column("x", "number")
UTC = datetime.UTC


@pytest.mark.parametrize(
    "values",
    [
        [1, None, -2.5],
        ["1", None, " -2.5 "],
        ["1.0", "NA", "-25e-1"],
        np.array([1, np.nan, -2.5], np.float32),
        pd.Series(["1", None, "-2.5"]),
        pd.Series(["1", None, "-2.5"], dtype=object),
        pd.Series([1, "?", -2.5], dtype=object),
        pd.Series(["1", None, "-2.5"], dtype="category"),
        pd.Series([1, None, -2.5], dtype="Float64"),
        pd.Series([1, None, -2.5], dtype=pd.ArrowDtype(pa.float32())),
        pd.Series([1, None, -2.5], index=[7, 7, 9]),
        [Decimal("1.00"), None, Decimal("-2.5")],
        pa.array(["1", "-2.5"]).dictionary_encode().take(pa.array([0, None, 1])),
        pa.chunked_array([["1", None], ["-2.5"]]),
        pa.chunked_array([pa.array(["1", None]).dictionary_encode(), pa.array(["-2.5"]).dictionary_encode()]),
        pa.array(["1", None, "-2.5"], pa.large_string()),
        pa.array(["1", None, "-2.5"], pa.string_view()),
        pa.array([b"1", None, b"-2.5"]),
    ],
)
def test_a_number_is_read_from_every_type(values: Any) -> None:
    assert canonical(NUMBER, values).equals(pa.array([1.0, None, -2.5]))


@pytest.mark.parametrize(
    ("written", "words", "numbers"),
    [
        ("", ["+5", ".5", "5.", "1e3", "−7", "1,234.5", "1,234,567"], [5, 0.5, 5, 1000, -7, 1234.5, 1234567]),
        ("", ["$5", "-$ 1,234.5", "12 %", "7 €", "+3%"], [5, -1234.5, 12, 7, 3]),
        (ENGLISH, ["1,234", "12", "1.5"], [1234, 12, 1.5]),
        (CONTINENTAL, ["1.234", "12", "1,5", "1.234.567,25"], [1234, 12, 1.5, 1234567.25]),
    ],
)
def test_a_number_is_read_as_it_is_written(written: str, words: list[str], numbers: list[float]) -> None:
    assert canonical(Column("x", "number", format=written), words).to_pylist() == numbers


@pytest.mark.parametrize("value", ["three", "1,234", "1.2.3", "0x10", "1_000", "inf", float("-inf"), 1e308, 10**400])
def test_a_cell_that_is_no_number_is_named(value: Any) -> None:
    with pytest.raises(SchemaError, match=r"column 'x' must be a number within ±3e\+38, got .* in row 2"):
        canonical(NUMBER, [1.5, value, None])


def test_all_cells_that_are_no_number_are_listed_if_asked_for() -> None:
    faults: list[Fault] = []
    assert canonical(NUMBER, ["1", "two", "3", "four"], faults).to_pylist() == [1, None, 3, None]
    assert [(fault.row, fault.column) for fault in faults] == [(1, "x"), (3, "x")]


@pytest.mark.parametrize("kind", ["number", "boolean", "category", "date"])
def test_every_spelling_of_missing_is_missing_for_every_kind(kind: Kind) -> None:
    values = [None, " ", *sorted(MISSING)]
    assert canonical(Column("x", kind), values).null_count == len(values)


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT, np.float32("nan"), "\t"])
def test_every_object_that_is_missing_is_missing(missing: Any) -> None:
    assert canonical(Column("x", "category"), pd.Series(["a", missing], dtype=object)).to_pylist() == ["a", None]


@pytest.mark.parametrize(
    "values",
    [
        [True, False, None], ["yes", "No", ""], ["TRUE", "false", "NA"], ["t", "F", None], ["Y", "n", "?"],
        [1, 0, None], [1.0, 0.0, np.nan], ["1", "0", "-"], ["On", "OFF", None],
        pd.Series([True, False, None], dtype=object),
        pd.Series([True, False, None], dtype="boolean"), pd.Series(["yes", "no", None], dtype="category"),
        [True, 0, "NULL"],
    ],
)  # fmt: skip
def test_a_boolean_is_read_in_every_spelling(values: Any) -> None:
    assert canonical(Column("x", "boolean"), values).to_pylist() == [True, False, None]


def test_a_cell_that_is_no_boolean_is_missing() -> None:
    assert canonical(Column("x", "boolean"), pd.Series([0, 1, 2, "maybe"])).to_pylist() == [False, True, None, None]


@pytest.mark.parametrize(
    "values",
    [["07", "7", "7.0", " 12 "], [7, 7, 7, 12], [7.0, 7.0, 7.0, 12.0], pd.Series([7, 7, 7, 12], dtype="category"),
     [Decimal("7.00"), Decimal(7), Decimal(7), Decimal(12)], pd.Series([7, "07", 7.0, "12"], dtype=object)],
)  # fmt: skip
def test_a_code_is_the_same_level_in_every_type(values: Any) -> None:
    assert canonical(Column("x", "category", levels=("7", "12")), values).to_pylist() == ["7", "7", "7", "12"]


def test_levels_that_are_not_all_codes_are_kept_as_they_are() -> None:
    assert canonical(Column("x", "category", levels=("07", "a")), ["07", "a"]).to_pylist() == ["07", "a"]


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("", ["2024-02-29", "2024-02-29T12:00:00Z", "2024-02-29 14:00:00.000+02:00"]),
        ("", [datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 12), "2024-02-29 12:00"]),
        ("", pd.Series(pd.to_datetime(["2024-02-29 00:00", "2024-02-29 12:00", "2024-02-29 12:00"], utc=True))),
        ("%d.%m.%Y", ["29.02.2024", "2024-02-29 12:00", "2024-02-29T14:00+02:00"]),
        ("unix s", [1709164800, 1709208000.0, "1709208000"]),
        ("unix ms", pa.array([1709164800000, 1709208000000, 1709208000000])),
    ],
)
def test_a_date_is_read_from_every_type(written: str, values: Any) -> None:
    noon = datetime.datetime(2024, 2, 29, 12, tzinfo=UTC)
    found = canonical(Column("x", "date", format=written), values).to_pylist()
    assert found == [noon.replace(hour=0), noon, noon]


@pytest.mark.parametrize("value", ["2024-02-30", "2024-13-01", "yesterday", "20240229", 5])
def test_a_cell_that_is_no_date_is_named(value: Any) -> None:
    with pytest.raises(SchemaError, match=r"column 'x' must be a date as '31.1.2026', got .* in row 3"):
        canonical(Column("x", "date", example="31.1.2026"), pd.Series(["2024-01-01", None, value], dtype=object))


def test_a_cell_with_several_values_is_refused() -> None:
    with pytest.raises(SchemaError, match="column 'x' must hold one value per cell, got list"):
        canonical(NUMBER, [[1, 2], [3]])


def test_the_natural_order_is_by_size_then_by_letters_with_numbers_by_size() -> None:
    assert natural(["b", "10", "a10", "9", "a9", "-1.5", "B"]) == ["-1.5", "9", "10", "a9", "a10", "B", "b"]
