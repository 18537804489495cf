from __future__ import annotations

import numpy as np
import pytest

from steps.tasks.classification.delong import DeLong


def naive(is_positive: np.ndarray, *scores: np.ndarray) -> tuple[list[float], float]:
    """Areas and standard error of their difference, pair by pair as DeLong et al. (1988) define them."""
    wins = []
    for s in scores:
        a, b = s[is_positive][:, None], s[~is_positive][None]
        wins.append((a > b) + 0.5 * (a == b))
    v10, v01 = np.stack([w.mean(1) for w in wins]), np.stack([w.mean(0) for w in wins])
    covariance = np.cov(v10) / v10.shape[1] + np.cov(v01) / v01.shape[1]
    contrast = np.array([1, -1])
    return [float(w.mean()) for w in wins], float(np.sqrt(contrast @ covariance @ contrast))


def test_it_is_the_definition() -> None:
    rng = np.random.default_rng(0)
    is_positive = rng.random(80) < 0.3
    ours, theirs = (np.round(rng.normal(size=80) + is_positive, 1) for _ in range(2))  # with ties
    areas, deviation = naive(is_positive, ours, theirs)
    found = DeLong.of(is_positive, ours, theirs)
    assert [found.challenger, found.champion] == pytest.approx(areas)
    assert found.deviation == pytest.approx(deviation)


def test_equal_rankings_and_lone_rows_are_no_reason_to_change() -> None:
    is_positive = np.array([True, True, False, False, False])
    scores = np.array([0.9, 0.4, 0.5, 0.3, 0.1])
    same = DeLong.of(is_positive, scores, scores**2)
    assert (same.challenger, same.champion, same.p_value) == (pytest.approx(5 / 6), same.challenger, 1)
    lone = DeLong.of(np.arange(5) == 0, scores, -scores)
    assert (lone.challenger, lone.champion, lone.p_value) == (1, 0, 1)
    assert not lone.challenger_is_better(0.999)


@pytest.mark.parametrize("n", [(5, 50), (30, 100)])
@pytest.mark.parametrize("distance", [0.5, 2.0])
@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_equally_good_models_are_promoted_at_most_as_often_as_alpha(
    n: tuple[int, int], distance: float, shared: float
) -> None:
    """1,000 pairs of models; `shared` is the share of the variance that their scores have in common."""
    rng, rows, promoted = np.random.default_rng(0), sum(n), np.zeros(2)
    is_positive = np.arange(rows) < n[0]
    for _ in range(1000):
        common = shared**0.5 * rng.normal(size=rows) + distance * is_positive
        ours, theirs = (common + (1 - shared) ** 0.5 * rng.normal(size=rows) for _ in range(2))
        found = DeLong.of(is_positive, ours, theirs)
        promoted += [found.challenger_is_better(alpha) for alpha in (0.05, 0.2)]
    assert promoted[1] > 0
    assert (promoted / 1000 <= (0.05, 0.2)).all()


def test_a_better_model_is_found() -> None:
    rng = np.random.default_rng(0)
    is_positive = rng.random(2000) < 0.3
    common = rng.normal(size=2000) + is_positive
    assert DeLong.of(is_positive, common, common + rng.normal(size=2000)).challenger_is_better(0.001)
    assert not DeLong.of(is_positive, common + rng.normal(size=2000), common).challenger_is_better(0.999)
