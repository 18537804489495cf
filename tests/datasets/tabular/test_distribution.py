"""Distributions of columns: counts, histograms without gaps of their own making, the most frequent levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from steps.datasets.tabular.distribution import UNSEEN, Distribution, as_numbers, distribution_of
from steps.datasets.tabular.schema import Column

RANDOM = np.random.default_rng(0)


def of_numbers(values: Any) -> Distribution:
    return distribution_of(Column("x", "number"), np.asarray(values, float))


def test_it_counts_rows_missing_and_different_values() -> None:
    found = of_numbers([3, 1, np.nan, 3, 8, np.nan])
    assert (found.n_rows, found.n_missing, found.n_distinct) == (6, 2, 3)
    assert (found.low, found.median, found.high) == (1, 3, 8)
    assert sum(found.counts) == 4


def test_a_column_without_values_has_no_histogram() -> None:
    assert of_numbers([np.nan, np.nan]) == Distribution(2, 2, 0)


def test_each_of_a_few_whole_numbers_has_its_bar() -> None:
    found = of_numbers([0, 1, 1, 4, 5])
    assert found.counts == (1, 2, 0, 0, 1, 1)
    assert found.edges == (-0.5, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5)


@pytest.mark.parametrize("step", [1.0, 0.1, 5.0])
def test_evenly_spread_values_of_a_grid_make_an_even_histogram(step: float) -> None:
    found = of_numbers(np.repeat(np.arange(96), 10) * step)
    assert found.counts == (30,) * 32


def test_a_long_tail_does_not_squeeze_the_other_values() -> None:
    numbers = np.append(RANDOM.normal(size=1000), [1e6, 2e6])
    found = of_numbers(numbers)
    assert found.high == 2e6
    assert found.ends is not None
    assert found.ends[1] < 10
    assert sum(found.counts) == len(numbers)
    assert max(found.counts) < 200


def test_the_only_value_of_a_column_has_a_bar() -> None:
    assert of_numbers([2, 2, np.nan]).counts == (2,)


def test_levels_are_counted_and_the_most_frequent_ones_named() -> None:
    column = Column("c", "category", levels=tuple("abcdefgh"))
    cells = pa.array([*"hhhhhbbbaaccddeefg", None, "NA", "unseen"])
    values = as_numbers(column, cells)
    assert values[-1] == UNSEEN
    found = distribution_of(column, values[:-1])
    assert (found.n_rows, found.n_missing, found.n_distinct) == (20, 2, 8)
    assert found.levels == tuple("hbacde")
    assert found.counts == (5, 3, 2, 2, 2, 2)


def test_every_kind_becomes_numbers() -> None:
    cells = pa.array(["yes", "no", None])
    assert as_numbers(Column("b", "boolean", levels=("no", "yes")), cells)[:2].tolist() == [1, 0]
    dates = as_numbers(Column("d", "date"), pa.array(["1970-01-02", None]))
    assert dates[0] == 86_400
    assert np.isnan(dates[1])
