from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from steps.tasks.regression.comparison import SignFlip, sign_flip_p_value


def test_fishers_example() -> None:
    # Darwin's maize, in eighths of an inch; Fisher, The Design of Experiments (1935), section 21: 1,726 of the 32,768
    # sign patterns have a sum at least as far from 0.
    differences = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48])
    assert sign_flip_p_value(differences) == pytest.approx(1726 / 32768, abs=0.007)


def test_the_p_value_is_that_of_all_sign_patterns() -> None:
    differences = np.random.default_rng(3).normal(0.5, 1, 9)
    sums = np.array([np.dot(signs, differences) for signs in product((-1, 1), repeat=9)])
    exact = (np.abs(sums) >= abs(differences.sum()) - 1e-12).mean()
    assert sign_flip_p_value(differences) == pytest.approx(exact, abs=0.015)


def test_it_is_mcnemars_test_for_right_and_wrong() -> None:
    differences = np.array([1] * 16 + [-1] * 6 + [0] * 139)
    assert sign_flip_p_value(differences) == pytest.approx(0.0525, abs=0.007)  # Cavo et al., 2012


def test_equal_predictions_are_no_reason_to_change() -> None:
    targets = np.arange(10, dtype=np.float32)
    found = SignFlip.of(targets, targets[:, None] + 1, targets[:, None] - 1)
    assert (found.challenger, found.champion, found.p_value) == (1, 1, 1)
    assert not found.challenger_is_better(0.999)


def test_significantly_worse_is_not_better() -> None:
    targets, near, far = np.zeros(50), np.full((50, 1), 0.1), np.ones((50, 1))
    better, worse = SignFlip.of(targets, near, far), SignFlip.of(targets, far, near)
    assert better.challenger_is_better(0.001)
    assert not worse.challenger_is_better(0.999)
    assert (better.closer_challenger, better.closer_champion) == (50, 0)
    assert "this version is closer: 50" in better.summary()


_TAILS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "without variance": lambda rng, n: rng.standard_t(2, n),
    "skewed": lambda rng, n: rng.lognormal(0, 1.5, n) - np.exp(1.5**2 / 2),
}


@pytest.mark.parametrize("tails", _TAILS)
@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_equally_good_models_are_promoted_at_most_as_often_as_alpha(tails: str, shared: float) -> None:
    """300 pairs of models on 40 rows; `shared` is the share of the variance that their errors have in common."""
    rng, n, promoted = np.random.default_rng(0), 40, np.zeros(2)
    for _ in range(300):
        common = shared**0.5 * _TAILS[tails](rng, n)
        ours, theirs = (common + (1 - shared) ** 0.5 * _TAILS[tails](rng, n) for _ in range(2))
        found = SignFlip.of(np.zeros(n), ours[:, None], theirs[:, None])
        promoted += [found.challenger_is_better(alpha) for alpha in (0.05, 0.2)]
    assert (promoted > 0).all()
    assert (promoted / 300 <= (0.05, 0.2)).all()


def test_a_better_model_is_found_among_many_rows_with_heavy_tails() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_t(4, 30_000)
    ours, theirs = noise + rng.normal(0, 0.2, 30_000), noise + rng.normal(0, 0.5, 30_000)
    assert SignFlip.of(np.zeros(30_000), ours[:, None], theirs[:, None]).challenger_is_better(0.01)
