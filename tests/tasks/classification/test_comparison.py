from __future__ import annotations

import numpy as np
import pytest

from steps.tasks.classification.comparison import McNemar


@pytest.mark.parametrize(
    ("table", "p_value"),
    [
        # Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13:91 (2013): airway hyper-responsiveness
        # (Bentur et al., 2009) and complete response (Cavo et al., 2012).
        ((1, 1, 7, 12), 0.0703),
        ((59, 6, 16, 80), 0.0525),
        # Fay, "Exact McNemar's Test and Matching Confidence Intervals", vignette of the R package exact2x2.
        ((21, 9, 2, 12), 0.06543),
    ],
)
def test_published_examples(table: tuple[int, int, int, int], p_value: float) -> None:
    assert McNemar(*table).p_value == pytest.approx(p_value, abs=5e-5)


def test_a_table_done_by_hand() -> None:
    labels = np.array([0, 1, 2, 0, 1, 2])
    found = McNemar.of(labels, np.array([0, 1, 2, 0, 0, 0]), np.array([0, 1, 0, 1, 1, 0]))
    assert found == McNemar(2, 2, 1, 1)
    assert (found.n, found.challenger, found.champion) == (6, 4 / 6, 3 / 6)
    assert found.p_value == 1.0


def test_equal_predictions_are_no_reason_to_change() -> None:
    same = McNemar(95, 0, 0, 5)
    assert same.p_value == 1.0
    assert not same.challenger_is_better(0.999)


def test_significantly_worse_is_not_better() -> None:
    assert McNemar(80, 15, 1, 4).challenger_is_better(0.05)
    assert not McNemar(80, 1, 15, 4).challenger_is_better(0.05)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_equally_good_models_are_promoted_at_most_as_often_as_alpha(alpha: float, correlation: float) -> None:
    """20,000 pairs of models of equal accuracy; `correlation` is the share of samples that both answer alike."""
    rng = np.random.default_rng(0)
    n_pairs, n_samples, accuracy = 20_000, 500, 0.97
    alike = rng.binomial(n_samples, correlation, n_pairs)
    one_right = rng.binomial(n_samples - alike, 2 * accuracy * (1 - accuracy))
    challenger_only = rng.binomial(one_right, 0.5)
    tables, counts = np.unique(np.stack([challenger_only, one_right - challenger_only]), axis=1, return_counts=True)
    promoted = sum(
        count
        for (ours, theirs), count in zip(tables.T, counts, strict=True)
        if McNemar(n_samples - int(ours + theirs), int(ours), int(theirs), 0).challenger_is_better(alpha)
    )
    assert 0 < promoted / n_pairs <= alpha


def test_a_better_model_is_found() -> None:
    rng = np.random.default_rng(1)
    labels = np.zeros(10_000, int)
    better, worse = (np.asarray(rng.random(10_000) > accuracy, int) for accuracy in (0.985, 0.975))
    assert McNemar.of(labels, better, worse).challenger_is_better(0.01)
