from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from steps.datasets.drift.histograms import LevelHistogram, NumberHistogram, histogram_from_json


def numbers(values: list[float]) -> NumberHistogram:
    found = NumberHistogram.of("x", "number", np.array(values, float))
    assert found is not None
    return found


def levels(text: str) -> LevelHistogram:
    """From words of one letter."""
    found = LevelHistogram.of("x", "category", Counter(text), 0)
    assert found is not None
    return found


def test_many_different_numbers_have_twenty_bins_of_equal_size() -> None:
    found = numbers([float(i) for i in range(1000)] + [np.nan] * 7)
    assert found.training.bins.tolist() == [50] * 20
    assert (found.starts[0], found.starts[1], found.high, found.training.missing) == (0.0, 50.0, 999.0, 7)
    assert found.training.outside == (1, 1)


def test_few_different_numbers_and_frequent_ones_have_bins_of_their_own() -> None:
    assert numbers([0.0] * 97 + [1.0] * 3).training.bins.tolist() == [97, 3]
    found = numbers([0.0] * 900 + [1 + i / 100 for i in range(100)])
    assert found.starts[:2] == (0.0, 1.0)
    assert found.training.bins[0] == 900
    assert found.training.outside == (0, 1)


def test_rows_outside_count_in_the_nearest_bin_too() -> None:
    found = numbers([float(i) for i in range(100)]).tally(np.array([-3.0, 0.0, 99.0, 99.5, 120.0, np.nan]))
    assert (found.bins[0], found.bins[-1], found.outside, found.missing, found.n) == (2, 3, (1, 2), 1, 6)


def test_rare_levels_and_unseen_words_share_the_last_bin() -> None:
    found = levels("a" * 60 + "b" * 30 + "c" * 9 + "d")
    assert found.levels == ("a", "b", "c", "d")
    assert found.training.bins.tolist() == [60, 30, 10]
    assert found.training.outside == (1,)
    tally = found.tally({"e": 2, "c": 1, "a": 3}, 4)
    assert (tally.bins.tolist(), tally.outside, tally.missing, tally.n) == ([3, 0, 3], (2,), 4, 10)
    assert tally.unseen == {"e": 2}


def test_tallies_add_up_and_remember_a_bounded_number_of_words() -> None:
    found = levels("a" * 50)
    parts = [found.tally({f"{i}-{j}": 1 for j in range(400)}, 1) for i in range(4)]
    total = parts[0] + parts[1] + parts[2] + parts[3]
    assert (total.outside, total.missing, len(total.unseen)) == ((1600,), 4, 1000)


@pytest.mark.parametrize("found", [numbers([0.1, 1 / 3, 7.0] * 9), levels("aaabbc"), numbers([2.0])])
def test_json_keeps_everything(found: NumberHistogram | LevelHistogram) -> None:
    again = histogram_from_json(json.loads(json.dumps(found.to_json())))
    assert again.to_json() == found.to_json()
    assert type(again) is type(found)


def test_a_column_without_a_value_has_no_histogram() -> None:
    assert NumberHistogram.of("x", "number", np.array([np.nan])) is None
    assert LevelHistogram.of("x", "category", {}, 3) is None
