"""The task from the target's values."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from steps.datasets.tabular.errors import SchemaError
from steps.datasets.tabular.target import Target
from steps.datasets.tabular.targets import find_target, fitted, read_target

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("cells", "class_names", "positive"),
    [
        (["no", "yes", "no", "yes", "yes"], ("no", "yes"), "yes"),
        ([True, False, None] * 9, ("False", "True"), "True"),
        ([0, 1, 1, 0], ("0", "1"), "1"),
        ([0.0, 1.0, 1.0, 0.0, np.nan], ("0", "1"), "1"),
        (["1.0", "2.0", "1.0", "2.0"], ("1", "2"), "1"),
        ([-1, 1, 1, -1], ("-1", "1"), "1"),
        (["good", "bad", "good", "bad", "good"], ("bad", "good"), "bad"),
        ([10, 9, 2] * 20, ("2", "9", "10"), ""),
        (["b", "a", "c", " a "] * 9, ("a", "b", "c"), ""),
        (["class 10", "class 9"] * 9, ("class 9", "class 10"), "class 10"),
    ],
)
def test_words_booleans_and_few_whole_numbers_are_classes(cells: Any, class_names: Any, positive: str) -> None:
    target = find_target("y", cells).target
    assert (target.task, target.class_names, target.positive_class) == ("classification", class_names, positive)


@pytest.mark.parametrize(
    "cells",
    [[1.5, 2.5, 3.0], [*range(30)] * 20, [1, 2, 3, 4, 5], ["1.5", "2", "NA", "3"], [Decimal("1.25"), Decimal(2)],
     RANDOM.normal(size=50)],
)  # fmt: skip
def test_other_numbers_are_a_regression(cells: Any) -> None:
    labels = find_target("y", cells)
    assert labels.target.task == "regression"
    assert labels.values.dtype == np.float32
    assert (labels.target.low, labels.target.high) == (labels.values.min(), labels.values.max())


def test_the_task_can_be_stated() -> None:
    assert find_target("y", [1, 2, 3] * 20, "regression").target.why == "stated"
    assert find_target("y", [*range(30)] * 2, "classification").target.class_names == tuple(map(str, range(30)))


def test_the_positive_class_can_be_stated_in_any_spelling() -> None:
    assert find_target("y", ["No", "Yes"] * 2, positive_class="no").target.positive_class == "No"
    assert find_target("y", [0, 1] * 2, positive_class="0.0").target.positive_class == "0"


def test_rows_without_a_target_are_left_out_and_counted() -> None:
    labels = find_target("y", ["a", "NA", "b", None, "a", "b", " "])
    assert (labels.n_missing, labels.rows.tolist(), labels.values.tolist()) == (3, [0, 2, 4, 5], [0, 1, 0, 1])


def test_classes_that_differ_in_capitals_only_are_warned_of() -> None:
    assert find_target("y", ["a", "A", "b"] * 9).warnings == (
        "the classes 'A' and 'a' of 'y' differ in capital letters only",
    )


def test_statistics_are_those_of_the_rows_they_are_fitted_on() -> None:
    labels = find_target("y", [-1.5, 2, 3, 100, 7])
    target = fitted(labels.target, labels.values[:3])
    assert (target.low, target.high, target.mean) == (-1.5, 3, pytest.approx(3.5 / 3))
    assert target.std == pytest.approx(np.std([-1.5, 2, 3]))
    assert not target.is_skewed


def test_only_a_target_with_a_long_upper_tail_and_nothing_negative_is_skewed() -> None:
    prices = np.exp(RANDOM.normal(10, 1, 500))
    target = find_target("y", prices).target
    assert target.is_skewed
    assert target.log_mean == pytest.approx(np.log1p(prices).mean(), rel=1e-5)
    assert not find_target("y", np.append(prices, -1)).target.is_skewed
    assert not find_target("y", RANDOM.normal(10, 1, 500)).target.is_skewed


@pytest.mark.parametrize(
    ("cells", "others", "values"),
    [
        (["no", "yes"] * 2, ["yes", None, " no"], [1, -1, 0]),
        ([0, 1] * 2, ["1.0", "0", "NA"], [1, 0, -1]),
        (["0", "1"] * 2, [1.0, np.nan, 0.0], [1, -1, 0]),
        ([1.5, 2.5], ["7", "1e3", "2.5"], [7, 1000, 2.5]),
    ],
)
def test_targets_of_other_rows_are_read_in_other_types(cells: Any, others: Any, values: list[float]) -> None:
    assert read_target(find_target("y", cells).target, others).tolist() == values


def test_a_class_that_the_target_does_not_have_is_named() -> None:
    target = find_target("y", ["setosa", "virginica"] * 2).target
    with pytest.raises(
        SchemaError, match=r"column 'y' must hold classes .* 'Virginia' in row 2; did you mean 'virginica'"
    ):
        read_target(target, ["setosa", "Virginia"])


def test_what_was_found_survives_json() -> None:
    target = find_target("y", np.exp(RANDOM.normal(10, 1, 50))).target
    assert Target.from_json(json.loads(json.dumps(target.to_json()))) == target
