"""Rows in splits and folds: in proportion, whole groups, in time, as the table says; equal rows on one side only."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from steps.base.errors import InputError
from steps.datasets.request import DataRequest
from steps.datasets.splitting import RowSplit, RowSplitter
from steps.datasets.tabular.inference import Inference, Statements, infer
from steps.datasets.tabular.targets import read_target

N = 300
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=N)
CLASSES = np.array(["a", "b", "c"])[np.repeat([0, 1, 2], [200, 80, 20])][RANDOM.permutation(N)].tolist()
DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(days=int(i)) for i in RANDOM.permutation(N)]
ROLES = ("weight_column", "group_column", "time_column", "split_column")


def inferred(table: pa.Table, **request: Any) -> Inference:
    return infer(table, "y", Statements(**{name: value for name, value in request.items() if name in ROLES}))


def splitter(table: pa.Table, test: pa.Table | None = None, **request: Any) -> RowSplitter:
    found = inferred(table, **request)
    rows = None if test is None else (test, read_target(found.labels.target, test.column("y")))
    return RowSplitter(table, found, DataRequest("", "y", **request), rows)


def split(columns: Any, **request: Any) -> RowSplit:
    return splitter(columns if isinstance(columns, pa.Table) else pa.table(columns), **request).split()


def shares(found: RowSplit) -> list[float]:
    total = sum(map(len, found.rows.values()))
    return [len(rows) / total for rows in found.rows.values()]


def of(values: Any, rows: np.ndarray) -> set[Any]:
    return {values[i] for i in rows.tolist()}


@pytest.mark.parametrize("target", [CLASSES, X * 3 + 1, [7.0] * 290 + [1.0, 2.0] * 5])
def test_every_row_is_in_one_split_and_fractions_are_as_asked_for(target: Any) -> None:
    found = split({"y": target, "x": X}, test_fraction=0.3, validation_fraction=0.1)
    assert list(found.rows) == ["train", "validation", "test"]
    assert sorted(np.concatenate([*found.rows.values()]).tolist()) == [*range(N)]
    assert shares(found) == pytest.approx([0.63, 0.07, 0.3], abs=0.01)
    assert found.notes == ()


def test_classes_and_ranges_of_numbers_are_in_proportion() -> None:
    classes = split({"y": CLASSES, "x": X})
    counts = [[sum(CLASSES[i] == name for i in rows) for name in "abc"] for rows in classes.rows.values()]
    assert counts == [[133, 54, 13], [27, 10, 3], [40, 16, 4]]
    numbers = split({"y": np.exp(X), "x": X[::-1]})
    assert [np.exp(X)[rows].mean() for rows in numbers.rows.values()] == pytest.approx([np.exp(X).mean()] * 3, rel=0.3)


def test_the_seed_changes_the_validation_split_but_not_the_test_split() -> None:
    first, second, again = (split({"y": CLASSES, "x": X}, seed=seed).rows for seed in (0, 1, 0))
    assert (first["test"] == second["test"]).all()
    assert (first["validation"] != second["validation"]).any()
    assert all((first[name] == again[name]).all() for name in first)


def test_rows_without_a_target_are_in_no_split() -> None:
    table = pa.table({"y": [None, *CLASSES], "x": [0.0, *X]})
    assert max(map(max, split(table).rows.values())) == N - 1


def test_a_class_of_three_rows_is_in_each_split() -> None:
    classes = ["a"] * 297 + ["b"] * 3
    assert [of(classes, rows) for rows in split({"y": classes, "x": X}).rows.values()] == [{"a", "b"}] * 3


@pytest.mark.parametrize("copies", [2, 5])
def test_equal_rows_are_in_the_same_split(copies: int) -> None:
    table = pa.table({"y": CLASSES * copies, "x": [*X] * copies, "id": [*range(N * copies)]})
    found = split(table)
    sides = [of([*X] * copies, rows) for rows in found.rows.values()]
    assert sum(map(len, sides)) == N
    assert shares(found) == pytest.approx([2 / 3, 2 / 15, 1 / 5], abs=0.01)
    assert found.notes == (
        f"{N * (copies - 1):,} rows are equal to an earlier one, target included; equal rows are in the same split",
    )


def test_rows_with_other_targets_are_not_equal() -> None:
    assert split({"y": CLASSES, "x": [1.5, 2.5] * (N // 2), "z": X}).notes == ()


def test_equal_rows_of_a_table_with_few_possible_rows_are_split_as_others() -> None:
    found = split({"y": ["a", "b"] * 150, "x": RANDOM.integers(0, 2, N), "z": RANDOM.integers(0, 3, N)})
    assert shares(found) == pytest.approx([2 / 3, 2 / 15, 1 / 5], abs=0.01)
    assert "the columns have few values" in found.notes[0]


def test_passengers_of_equal_age_class_and_sex_are_not_copies() -> None:
    """A table like that of the Titanic: an age that is often missing, and two columns that depend on each other."""
    rng, n = np.random.default_rng(0), 1300
    third = rng.random(n) < 0.6
    age = rng.integers(1, 70, n).astype(float)
    age[rng.random(n) < 0.2 + 0.1 * third] = np.nan
    male = rng.random(n) < 0.5 + 0.2 * third
    survived = np.where(rng.random(n) < 0.8 - 0.6 * male, "yes", "no")
    found = split({"y": survived, "age": age, "third": third, "male": male})
    assert "the columns have few values" in found.notes[0]
    assert shares(found) == pytest.approx([2 / 3, 2 / 15, 1 / 5], abs=0.01)


def test_groups_stay_together_in_proportion() -> None:
    groups = RANDOM.integers(0, 60, N).tolist()
    found = split({"y": CLASSES, "x": X, "g": groups}, group_column="g")
    sides = [of(groups, rows) for rows in found.rows.values()]
    assert sum(map(len, sides)) == len(set(groups))
    assert shares(found) == pytest.approx([2 / 3, 2 / 15, 1 / 5], abs=0.05)
    assert [of(CLASSES, rows) for rows in found.rows.values()] == [{"a", "b", "c"}] * 3


def test_rows_without_a_group_are_groups_of_their_own() -> None:
    found = split({"y": CLASSES, "x": X, "g": [None] * 200 + ["g"] * 100}, group_column="g")
    assert all((rows < 200).any() for rows in found.rows.values())
    assert sum((rows >= 200).any() for rows in found.rows.values()) == 1


@pytest.mark.parametrize(
    "times",
    [DAYS, [str(day) for day in DAYS], [day.strftime("%d.%m.%Y") for day in DAYS], [day.toordinal() for day in DAYS],
     pa.array(DAYS).cast(pa.timestamp("us", "UTC"))],
)  # fmt: skip
def test_training_comes_before_validation_and_validation_before_test(times: Any) -> None:
    found = split({"y": CLASSES, "x": X, "t": times}, time_column="t")
    days = [sorted(of(DAYS, rows)) for rows in found.rows.values()]
    assert days[0][-1] < days[1][0]
    assert days[1][-1] < days[2][0]
    assert shares(found) == pytest.approx([2 / 3, 2 / 15, 1 / 5], abs=0.01)


def test_rows_of_one_moment_are_in_one_split() -> None:
    years = [day.toordinal() // 40 for day in DAYS]
    found = split({"y": CLASSES, "x": X, "t": years}, time_column="t")
    assert sum(len(of(years, rows)) for rows in found.rows.values()) == len(set(years))


def test_copies_over_time_are_left_out_of_the_earlier_split() -> None:
    table = pa.table({"y": CLASSES[:200] + CLASSES[:100], "x": [*X[:200], *X[:100]], "t": [*range(N)]})
    found = split(table, time_column="t")
    assert [len(rows) for rows in found.rows.values()] == [160 - 40 - 60 + 40, 40, 60]
    assert found.notes[-1] == "100 rows are left out: equal to rows of a later split" or found.notes[-1].startswith(
        "60 "
    )


def test_groups_in_time_stay_together_if_they_can() -> None:
    groups = [day.toordinal() // 7 for day in DAYS]
    found = split({"y": CLASSES, "x": X, "t": DAYS, "g": groups}, group_column="g", time_column="t")
    assert sum(len(of(groups, rows)) for rows in found.rows.values()) == len(set(groups))


def test_splits_that_the_table_names_are_kept_in_any_spelling() -> None:
    names = ["Train", "dev", "TEST "] * 100
    found = split({"y": CLASSES, "x": X, "s": names}, split_column="s")
    assert [rows.tolist() for rows in found.rows.values()] == [[*range(i, N, 3)] for i in range(3)]


@pytest.mark.parametrize("names", [["train", "test"], ["train", "validation"], ["train", "train"]])
def test_a_split_that_the_table_does_not_name_is_taken_from_training(names: list[str]) -> None:
    found = split({"y": CLASSES, "x": X, "s": names * 150}, split_column="s")
    assert list(found.rows) == ["train", "validation", "test"]
    for name in set(names) - {"train"}:
        assert (found.rows[name] % 2 == 1).all()
        assert len(found.rows[name]) == 150
    assert sum(map(len, found.rows.values())) == N


def test_copies_in_splits_that_the_table_names_are_left_out_of_the_earlier_one() -> None:
    table = pa.table({"y": CLASSES * 2, "x": [*X] * 2, "s": ["train"] * N + ["test"] * 100 + ["train"] * 200})
    found = split(table, split_column="s")
    assert not of([*X] * 2, found.rows["train"]) & of([*X] * 2, found.rows["test"])
    assert found.notes[-1] == "100 rows are left out: equal to rows of a later split"


def test_rows_of_a_test_table_are_left_out_of_the_others() -> None:
    table, test = pa.table({"y": CLASSES, "x": X}), pa.table({"more": X[:50], "x": X[:50], "y": CLASSES[:50]})
    found = splitter(table, test).split()
    assert list(found.rows) == ["train", "validation"]
    assert min(map(min, found.rows.values())) == 50
    assert found.notes == ("50 rows are left out: equal to rows of a later split",)


@pytest.mark.parametrize("target", [CLASSES, X * 2])
def test_folds_have_all_classes_and_nearly_the_same_size(target: Any) -> None:
    made = splitter(pa.table({"y": target, "x": X}))
    found = made.split(with_validation=False)
    assert list(found.rows) == ["train", "test"]
    rows = found.rows["train"]
    folds = made.folds(rows, 5)
    assert sorted(np.concatenate([validation for _, validation in folds]).tolist()) == rows.tolist()
    assert [len(validation) for _, validation in folds] == [48] * 5
    assert all(np.union1d(*fold).tolist() == rows.tolist() for fold in folds)
    if target is CLASSES:
        assert all(of(CLASSES, validation) == {"a", "b", "c"} for _, validation in folds)


def test_folds_keep_groups_and_copies_together() -> None:
    groups = RANDOM.integers(0, 40, N).tolist() * 2
    made = splitter(pa.table({"y": CLASSES * 2, "x": [*X] * 2, "g": groups}), group_column="g")
    for training, validation in made.folds(np.arange(2 * N), 4):
        assert not of(groups, training) & of(groups, validation)
        assert not of([*X] * 2, training) & of([*X] * 2, validation)
        assert 100 <= len(validation) <= 200


def test_folds_in_time_are_validated_on_later_rows() -> None:
    made = splitter(pa.table({"y": CLASSES, "x": X, "t": DAYS}), time_column="t")
    folds = made.folds(np.arange(N), 4)
    assert [(len(training), len(validation)) for training, validation in folds] == [(60 * i, 60) for i in range(1, 5)]
    assert all(max(of(DAYS, training)) < min(of(DAYS, validation)) for training, validation in folds)


def test_the_most_folds_are_those_in_which_each_class_is() -> None:
    classes = ["a"] * 296 + ["b"] * 4
    made = splitter(pa.table({"y": classes, "x": X}))
    assert made.most_folds(np.arange(N)) == 4
    assert all(of(classes, validation) == {"a", "b"} for _, validation in made.folds(np.arange(N), 4))
    with pytest.raises(InputError) as raised:
        made.folds(np.arange(N), 5)
    assert str(raised.value) == (
        "folds must be at most 4, got 5: there are 4 different rows of class 'b' outside the test split; give folds=4, "
        "or join classes"
    )


@pytest.mark.parametrize(
    ("columns", "request_", "message"),
    [
        ({"y": CLASSES[:9], "x": X[:9]}, {}, "dataset must have 10 rows with a target or more, got 9"),
        ({"y": ["a"] * 298 + ["b"] * 2, "x": X}, {},
         "target must have different rows of each class for each split, but class 'b', of 2 rows, has none in"),
        ({"y": CLASSES, "x": X, "g": ["g", "h"] * 150}, {"group_column": "g"},
         "group_column must leave each class some groups for "),
        ({"y": CLASSES, "x": X, "g": CLASSES}, {"group_column": "g"},
         "group_column must leave each class some groups for validation, but class 'a'"),
        ({"y": CLASSES, "x": X, "t": [*DAYS[:6], None, *DAYS[7:]]}, {"time_column": "t"},
         "time_column must hold a date or a number in each row, got None in row 7 of 't'"),
        ({"y": CLASSES, "x": X, "t": ["soon", "later", "now"] * 100}, {"time_column": "t"},
         "time_column must hold a date or a number in each row, got 'soon' in row 1 of 't'"),
        ({"y": CLASSES, "x": X, "t": [5] * N}, {"time_column": "t"},
         "time_column must tell early rows from late ones, got no two moments near the last 20% of the rows in 't'"),
        ({"y": ["a"] * 200 + ["b"] * 100, "x": X, "t": [*range(N)]}, {"time_column": "t"},
         "time_column must leave each class some rows for train, but class 'b'"),
        ({"y": CLASSES, "x": X, "t": DAYS, "g": [0, 1, 2] * 100}, {"time_column": "t", "group_column": "g"},
         "group_column and time_column must not contradict each other: near the last 20% of the rows, some group"),
        ({"y": CLASSES, "x": X, "s": ["train", "test"] * 150, "g": [0, 0, 1] * 100},
         {"split_column": "s", "group_column": "g"},
         "group_column and split_column must not contradict each other: 2 groups of 'g' are in train and in test"),
        ({"y": CLASSES, "x": X, "s": ["train", "test"] * 150, "t": DAYS}, {"split_column": "s", "time_column": "t"},
         "time_column and split_column must not contradict each other: some rows of train are later in 't' than some"),
        ({"y": CLASSES, "x": X, "s": ["train", "test", "both"] * 100}, {"split_column": "s"},
         "split_column must hold train, validation or test in each row, got 'both' in row 3 of 's'"),
        ({"y": CLASSES, "x": X, "s": ["train", None, "test"] * 100}, {"split_column": "s"},
         "split_column must hold train, validation or test in each row, got None in row 2 of 's'"),
        ({"y": CLASSES, "x": X, "s": ["val", "test"] * 150}, {"split_column": "s"},
         "split_column must hold train in some rows, got none in 's'"),
        ({"y": ["a"] * 100 + ["b", "c"] * 100, "x": X, "s": ["test"] * 100 + ["train"] * 200}, {"split_column": "s"},
         "split_column must leave each class some rows for train, but class 'a'"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_split_are_refused_with_one_line(
    columns: dict[str, Any], request_: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError) as raised:
        split(columns, **request_)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)
