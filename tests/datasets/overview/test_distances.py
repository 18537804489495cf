"""Distances of columns between splits: differences are found, and chance is not taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from steps.datasets.overview.distances import Distance, distances
from steps.datasets.tabular.schema import Column

NUMBER, WORDS = Column("x", "number"), Column("c", "category", levels=tuple("abcdefghij"))


def between(train: np.ndarray, test: np.ndarray, column: Column = NUMBER, n_columns: int = 10) -> Distance:
    return distances(column, {"train": train, "test": test}, n_columns)["test"]


@pytest.mark.parametrize("n_test", [30, 200, 5000])
def test_random_splits_of_many_columns_raise_nothing(n_test: int) -> None:
    rng = np.random.default_rng(n_test)
    for _ in range(100):
        numbers, levels = rng.lognormal(size=4 * n_test), rng.choice(10, 4 * n_test, p=np.arange(10) / 45) * 1.0
        for values, column in ((numbers, NUMBER), (levels, WORDS)):
            values[rng.random(len(values)) < 0.05] = np.nan
            found = between(values[n_test:], values[:n_test], column, n_columns=100)
            assert not found.is_notable


def test_the_statistic_of_numbers_is_scipys() -> None:
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=400), rng.normal(0.5, 1, size=100)
    found = between(train, test)
    assert found.values == pytest.approx(ks_2samp(train, test).statistic)
    assert found.is_far
    assert not found.is_missing_far


def test_the_distance_of_levels_is_the_share_of_rows_that_would_have_to_change() -> None:
    train, test = np.repeat([0.0, 1, 2], [500, 300, 200]), np.repeat([0.0, 1, 2], [50, 60, 90])
    found = between(train, test, WORDS)
    assert found.values == pytest.approx(0.25)
    assert found.is_far


def test_a_column_that_is_empty_more_often_is_found() -> None:
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=400), rng.normal(size=100)
    test[:20] = np.nan
    found = between(train, test)
    assert found.missing == pytest.approx(0.2)
    assert found.is_missing_far
    assert not found.is_far


def test_levels_that_only_the_test_rows_have_are_found() -> None:
    found = between(np.repeat([0.0, 1], 200), np.repeat([0.0, 1, -1], [40, 40, 40]), WORDS)
    assert found.values == pytest.approx(1 / 3)
    assert found.is_far


def test_a_split_without_values_has_no_distance_of_values() -> None:
    found = between(np.zeros(100), np.full(50, np.nan))
    assert found.values == 0
    assert found.is_missing_far


def test_a_rare_level_does_not_hide_a_difference_in_the_others() -> None:
    found = between(np.repeat([0.0, 1, 2], [500, 500, 1]), np.repeat([0.0, 1], [20, 100]), WORDS)
    assert found.values == pytest.approx(1 / 3, abs=0.01)
    assert found.is_far


def test_levels_that_are_all_rare_have_no_difference() -> None:
    rng = np.random.default_rng(0)
    column = Column("c", "category", levels=tuple(map(str, range(900))))
    assert not between(rng.integers(0, 900, 1000).astype(float), rng.integers(0, 900, 60).astype(float), column).is_far
