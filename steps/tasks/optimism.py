"""The score to be expected of the best of several models on rows that have not selected it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from steps.tasks.metric import Metric

_DRAWS, _FEWEST_DRAWS = 200, 20
_COST = 10_000_000  # rows that are scored, of all models and draws


def expected_of_best(metric: Metric, targets: Sequence[np.ndarray], outputs: np.ndarray) -> float | None:
    """Estimate the score of the best of some models on new rows, from the rows on which it is the best.

    Bootstrap bias-corrected cross-validation (Tsamardinos et al., Machine Learning 107, 2018): rows are drawn with
    replacement, the model that is best on them is scored on the rows that were not drawn, and these scores are
    averaged. The rows that select are 63 % of all, so that the estimate tends to be a little too bad.

    Args:
        targets: (n_f,) of each fold, in order; one array for a holdout. The score is the mean over folds.
        outputs: (k, n, n_outputs) of k models for the rows of all folds in order.

    Returns:
        None if no draw could be scored, as rows of a class or a fold were missing.
    """
    rng = np.random.default_rng(0)
    ends = np.cumsum([len(part) for part in targets])[:-1]
    folds = list(zip(targets, np.split(outputs, ends, axis=1), strict=True))
    n_draws = min(_DRAWS, max(_FEWEST_DRAWS, _COST // outputs[..., 0].size))
    sign = 1 if metric.direction == "maximize" else -1
    scores = []
    for _ in range(n_draws):
        drawn = [rng.integers(0, len(part), len(part)) for part in targets]
        left = [np.setdiff1d(np.arange(len(part)), rows) for part, rows in zip(targets, drawn, strict=True)]
        if not all(map(len, left)):
            continue
        on_drawn = [sign * _score(metric, folds, drawn, model) for model in range(len(outputs))]
        if np.isfinite(on_drawn).all():
            scores.append(_score(metric, folds, left, int(np.argmax(on_drawn))))
    known = [score for score in scores if np.isfinite(score)]
    return float(np.mean(known)) if known else None


def _score(
    metric: Metric, folds: Sequence[tuple[np.ndarray, np.ndarray]], rows: Sequence[np.ndarray], model: int
) -> float:
    """The mean over folds of a model's score on some rows of each."""
    scores = [
        metric.value(targets[chosen], outputs[model, chosen])
        for (targets, outputs), chosen in zip(folds, rows, strict=True)
    ]
    return float(np.mean(scores))
