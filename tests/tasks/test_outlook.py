"""The outlook of a study, against draws from a known distribution."""

from __future__ import annotations

import numpy as np
import pytest

from steps.tasks.metric import Interval
from steps.tasks.outlook import Outlook


def scores(values: np.ndarray, half_width: float = 0.0196) -> list[Interval]:
    return [Interval(float(value), value - half_width, value + half_width) for value in values]


@pytest.mark.parametrize("draw", ["standard_normal", "exponential"])
@pytest.mark.parametrize("n_more", [2, 20, 200])
def test_the_gain_is_about_that_of_real_draws(n_more: int, draw: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    draws = getattr(rng, draw)
    gains = [max(0.0, draws(size=n_more).max() - draws(size=40).max()) for _ in range(50_000)]  # mostly 0 for 2 draws
    outlooks = [Outlook.of(scores(draws(size=40)), -1, 40, n_more) for _ in range(2000)]
    assert 0.45 < np.mean([outlook.gain for outlook in outlooks if outlook]) / np.mean(gains) < 2.2


def test_losses_and_scores_have_the_same_outlook() -> None:
    values = np.random.default_rng(0).exponential(1.0, 12)
    assert Outlook.of(scores(values), -1, 12, 8) == Outlook.of(scores(-values), 1, 12, 8)


def test_a_best_trial_far_ahead_is_hard_to_beat() -> None:
    values = np.linspace(0, 1, 12)
    near, far = (Outlook.of(scores(np.append(values, best)), -1, 13, 10) for best in (1.05, 3.0))
    assert near is not None
    assert far is not None
    assert far.gain / 3.0 < near.gain / 1.05  # in relation to what it would add to
    assert near.resolution == pytest.approx(0.01)


def test_pruned_trials_make_good_ones_rarer() -> None:
    values = np.random.default_rng(0).exponential(1.0, 12)
    few, many = (Outlook.of(scores(values), -1, n_ended, 8) for n_ended in (12, 48))
    assert few is not None
    assert many is not None
    assert many.gain < few.gain


def test_equal_trials_promise_nothing() -> None:
    outlook = Outlook.of(scores(np.full(9, 0.5)), -1, 9, 100)
    assert outlook is not None
    assert outlook.gain == 0
    assert outlook.is_within_noise


def test_without_trials_or_intervals_there_is_no_outlook() -> None:
    assert Outlook.of(scores(np.arange(7.0)), -1, 7, 10) is None
    assert Outlook.of(scores(np.arange(5.0)), -1, 9, 10) is None
    assert Outlook.of(scores(np.arange(6.0)), -1, 8, 10) is not None
    assert Outlook.of([Interval(float(i)) for i in range(9)], -1, 9, 10) is None
