"""A schema survives its JSON and tells its differences."""

from __future__ import annotations

import json

from steps.datasets.tabular.schema import Column, LeftOut, Schema

SCHEMA = Schema(
    (
        Column("age", "number", "whole numbers", 3, low=0, high=99.5, example="42"),
        Column("town", "category", "words", 0, ("Bonn", "Köln")),
        Column("since", "date", "dates", 1, low=0.0, high=1e9, format="%d.%m.%Y", zone="Asia/Tokyo", parts=("hour",)),
    ),
    (LeftOut("id", "names each row"),),
    ("column 'town' gives the target away",),
)  # fmt: skip


def test_a_schema_is_equal_after_json() -> None:
    assert Schema.from_json(json.loads(json.dumps(SCHEMA.to_json()))) == SCHEMA


def test_a_schema_has_no_difference_from_one_with_other_ranges_and_levels() -> None:
    assert SCHEMA.differences(Schema((Column("town", "category"), SCHEMA.columns[2], Column("age", "number")))) == []


def test_each_column_that_differs_has_its_line() -> None:
    other = Schema((Column("age", "category"), Column("since", "date", format="%m/%d/%Y"), Column("pay", "number")))
    assert SCHEMA.differences(other) == [
        "column 'town' (category) is not in the other",
        "column 'age' is a number, in the other a category",
        "column 'since' is written %d.%m.%Y, in the other %m/%d/%Y",
        "column 'pay' (number) is only in the other",
    ]
