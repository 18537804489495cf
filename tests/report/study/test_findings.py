"""Findings about a study and the advice that follows: noise, edges of ranges, savings."""

from __future__ import annotations

from dataclasses import replace

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from steps.report.study.advice import advice, certainty
from steps.report.study.findings import cost, range_edges, trials_since_best
from steps.report.study.result import Row
from steps.tasks.metric import Interval, is_noise
from tests.report.study.studies import TASK, complete, result, scored


@pytest.mark.parametrize(
    ("first", "second", "n", "noise"),
    [
        (0.98, 0.979, 10_000, True),
        (0.98, 0.97, 10_000, False),
        (0.98, 0.97, 100, True),
        (1.0, 1.0, 10, True),
        (1.0, 0.0, 10, False),
    ],
)
def test_noise_depends_on_the_number_of_samples(first: float, second: float, n: int, noise: bool) -> None:
    assert is_noise(scored(first, n), scored(second, n)) is noise
    assert is_noise(scored(second, n), scored(first, n)) is noise


def test_values_without_an_interval_cannot_be_told_apart() -> None:
    assert is_noise(Interval(0.1), Interval(0.9, 0.8, 1.0))


def test_certainty_names_those_that_cannot_be_told_apart() -> None:
    assert "only complete trial" in certainty([complete(3, 0.9)], TASK.primary, 1000)
    assert "top 3 are within noise" in certainty([complete(i, 0.9 - i / 1000) for i in range(3)], TASK.primary, 1000)
    mixed = certainty([complete(4, 0.9), complete(7, 0.899), complete(9, 0.5)], TASK.primary, 1000)
    assert "trial 7 cannot be told apart" in mixed
    assert "more than noise" in certainty([complete(4, 0.9), complete(9, 0.5)], TASK.primary, 1000)
    other = certainty([complete(4, 0.8), complete(9, 0.9)], TASK.primary, 1000)
    assert "By accuracy alone, trial 9 would be better" in other


@pytest.mark.parametrize(
    ("name", "distribution", "value", "expected"),
    [
        ("learning_rate", FloatDistribution(1e-4, 1e-2, log=True), 9.9e-3, ("high", 0.03)),
        ("learning_rate", FloatDistribution(1e-4, 1e-2, log=True), 1e-4, ("low", 3.3e-5)),
        ("learning_rate", FloatDistribution(1e-4, 1e-2, log=True), 5e-3, None),
        ("dropout", FloatDistribution(0.0, 0.4), 0.0, None),  # less than nothing is not possible
        ("dropout", FloatDistribution(0.0, 0.4), 0.39, ("high", 0.6)),
        ("momentum", FloatDistribution(0.8, 0.98), 0.98, ("high", 0.99)),  # stays below 1
        ("n_layers", IntDistribution(1, 3), 3, ("high", 4)),
        ("n_layers", IntDistribution(1, 3), 1, None),
        ("n_layers", IntDistribution(2, 5), 2, ("low", 1)),
        ("units_0", IntDistribution(128, 1024, log=True), 1024, ("high", 2048)),
        ("units_0", IntDistribution(128, 1024, log=True), 128, ("low", 64)),
        ("optimizer", CategoricalDistribution(["adam", "sgd"]), "sgd", None),
        ("n_layers", IntDistribution(2, 2), 2, None),
    ],
)
def test_a_best_value_at_the_edge_of_its_range_is_found(
    name: str, distribution: object, value: object, expected: object
) -> None:
    top = [complete(0, 0.9, hyperparameters={name: value}, distributions={name: distribution})]
    found = [(edge.end, edge.suggestion) for edge in range_edges(top)]
    assert found == ([] if expected is None else [expected])


def test_an_edge_counts_the_top_trials_that_lie_there() -> None:
    rate = {"learning_rate": FloatDistribution(0.0, 1.0)}
    top = [
        complete(i, 0.9, hyperparameters={"learning_rate": v}, distributions=rate)
        for i, v in enumerate((1.0, 0.97, 0.5))
    ]
    (edge,) = range_edges([*top, complete(9, 0.8)])
    assert (edge.n_top, edge.n_with) == (2, 3)


def test_cost_leaves_pauses_out_and_values_saved_epochs_at_the_median_pace() -> None:
    rows = [
        complete(0, 0.9, curve=(0.5,) * 10, budget=10, start=0, end=20),
        Row(1, "pruned", curve=(0.5,) * 2, budget=10, start=10, end=14),
        Row(2, "failed", curve=(), budget=10, start=100, end=101),
    ]
    found = cost(rows)
    assert (found.epochs, found.epochs_saved) == (12, 8)
    assert (found.seconds, found.seconds_saved, found.busy) == (25, 16, 21)


def test_trials_since_the_best_count_from_the_first_of_equals() -> None:
    rows = [complete(i, accuracy) for i, accuracy in enumerate((0.5, 0.9, 0.7, 0.9))]
    assert trials_since_best(rows, sign=-1) == 2
    assert trials_since_best(rows, sign=1) == 3


def test_advice_follows_what_was_found() -> None:
    rising = [complete(i, 0.5 + i / 100) for i in range(10)]
    assert "n_trials=20" in advice(result(rising), [], 0)[0]
    assert "3 complete trials are little to choose from" in advice(result(rising[:3]), [], 0)[0]
    falling = [replace(row, score=None) for row in rising[::-1]]
    assert "the last 9 of 10" in advice(result(falling), [], 0)[0]
    flat = [complete(i, 0.9 - i / 10_000) for i in range(10)]
    assert advice(result(flat), [], 0)[0] == (
        "Do not expect much from more trials in this space: 10 more trials are expected to improve the best validation "
        "accuracy by 0.0002; one standard error on the validation rows is 0.0095. More epochs, a wider space or other "
        "data are more likely to help"
    )
    pruned = [Row(i, "pruned") for i in range(6, 10)]
    assert advice(result([*flat[:6], *pruned]), [], 0)[0].startswith("Do not expect much from more trials")
    failing = [*flat, *(Row(i, "failed", error="ValueError: no") for i in range(10, 13))]
    assert advice(result(failing), [], 2)[1:] == [
        "Choose by cost: 2 other top trials are within noise of the selected one; if one of them is smaller or "
        "simpler, give evaluate its number as select",
        "Look at the failures: 3 of 13 trials, most with: ValueError: no",
    ]
