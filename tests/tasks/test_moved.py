"""The primary metric of a model that has not changed moves beyond noise as often as the test allows, and no oftener."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from steps.datasets.tabular.target import Target
from steps.tasks.baselines import PLAIN
from steps.tasks.classification.metrics import ACCURACY
from steps.tasks.classification.task import Classification
from steps.tasks.metric import Interval, is_noise, p_value_of
from steps.tasks.moved import Moved
from steps.tasks.regression.task import Regression
from steps.tasks.task import Task

Rows = tuple[np.ndarray, np.ndarray]

THREE = Classification(Target("classification", class_names=("a", "b", "c")), PLAIN)
TWO = Classification(Target("classification", class_names=("no", "yes"), positive_class="yes"), PLAIN)
NUMBERS = Regression(Target("regression", low=0, high=10), PLAIN)


def of_three(rng: np.random.Generator, n: int, skill: float) -> Rows:
    targets = rng.integers(0, 3, n)
    shown = np.where(rng.random(n) < skill, targets, (targets + 1) % 3)
    return targets, np.eye(3, dtype=np.float32)[shown]


def of_two(rng: np.random.Generator, n: int, skill: float) -> Rows:
    targets = (rng.random(n) < 0.3).astype(np.int32)
    odds = rng.normal(size=n) + 2 * skill * targets
    positive = (1 / (1 + np.exp(-odds))).astype(np.float32)
    return targets, np.stack([1 - positive, positive], 1)


def of_numbers(rng: np.random.Generator, n: int, skill: float) -> Rows:
    targets = rng.uniform(0, 10, n).astype(np.float32)
    return targets, (targets + rng.normal(size=n) / skill)[:, None].astype(np.float32)


CASES: dict[str, tuple[Task, Callable[[np.random.Generator, int, float], Rows]]] = {
    "accuracy": (THREE, of_three), "roc_auc": (TWO, of_two), "rmse": (NUMBERS, of_numbers),
}  # fmt: skip


def moved(name: str, rng: np.random.Generator, n: int, skill: float) -> Moved:
    """The metric of n new rows of this skill against 1,000 test rows of a skill of 0.8."""
    task, draw = CASES[name]
    test = task.primary.measure(*draw(rng, 1000, 0.8))
    scores = task.streamed()
    scores.add(*draw(rng, n, skill))
    found = scores.primary()
    assert found is not None
    return Moved(task.primary, n, found, test)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("n", [100, 4000])
def test_an_equal_skill_is_within_noise_and_a_lower_one_is_not(n: int, name: str) -> None:
    rng = np.random.default_rng(0)
    p_values = np.array([moved(name, rng, n, 0.8).p_value for _ in range(200)], float)
    assert 0.005 <= (p_values < 0.05).mean() <= 0.095
    worse = moved(name, rng, n, 0.5)
    assert worse.p_value is not None
    assert worse.p_value < 0.05
    assert f"on these {n:,} rows" in worse.text()
    assert "on the test rows: worse beyond noise (p " in worse.text()


@pytest.mark.parametrize("name", CASES)
def test_chunks_give_the_score_of_all_rows_and_its_interval(name: str) -> None:
    task, draw = CASES[name]
    targets, outputs = draw(np.random.default_rng(0), 3000, 0.8)
    scores = task.streamed()
    assert scores.primary() is None
    for start in range(0, 3000, 700):
        scores.add(targets[start : start + 700], outputs[start : start + 700])
    found, expected = scores.primary(), task.primary.measure(targets, outputs)
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high), rel=1e-4
    )


def test_the_sentence_has_both_scores_and_the_p_value() -> None:
    found = Moved(ACCURACY, 2000, Interval(0.871, 0.856, 0.885), Interval(0.912, 0.893, 0.928))
    assert found.text() == (
        "Accuracy 87.10 % on these 2,000 rows, 91.20 % on the test rows: worse beyond noise (p = 0.00066)"
    )
    assert found.as_metrics() == {
        "accuracy": 0.871, "accuracy_low": 0.856, "accuracy_high": 0.885, "accuracy_moved_p_value": found.p_value,
    }  # fmt: skip
    assert (
        Moved(ACCURACY, 2, Interval(0.5, 0.1, 0.9), Interval(0.9, 0.8, 0.95))
        .text()
        .endswith(": within noise (p = 0.057)")
    )


def test_without_a_test_score_or_an_interval_there_is_no_sentence() -> None:
    assert Moved(ACCURACY, 2, Interval(0.5, 0.1, 0.9), None).text() == ""
    assert Moved(ACCURACY, 2, Interval(0.5), Interval(0.9)).text() == ""
    assert Moved(ACCURACY, 2, Interval(0.5), None).as_metrics() == {"accuracy": 0.5}


def test_one_class_alone_has_no_area() -> None:
    scores = TWO.streamed()
    scores.add(np.ones(5, np.int32), np.full((5, 2), 0.5, np.float32))
    assert scores.primary() is None


@pytest.mark.parametrize("second", [0.85, 0.87, 0.89, 0.905])
def test_the_p_value_and_noise_agree(second: float) -> None:
    pair = Interval(0.87, 0.85, 0.89), Interval(second, second - 0.02, second + 0.01)
    p_value = p_value_of(*pair)
    assert p_value is not None
    assert is_noise(*pair) is (p_value >= 0.05)
