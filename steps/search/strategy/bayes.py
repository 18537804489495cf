"""Bayesian optimization that knows the space: its conditions, and its default as the place to start from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from scipy.spatial.distance import cdist
from scipy.special import log_ndtr
from threadpoolctl import threadpool_limits

from steps.search.strategy.coordinates import Coordinates
from steps.search.strategy.gaussian_process import GaussianProcess

_CANDIDATES = 500  # of each kind
_STEP = 0.15  # standard deviation of a change of a number
_TO_THE_NEXT = 0.7  # the same in distances between neighbouring values
_CHANGED = 0.5, 0.3  # share of the coordinates that differ from the default, and from one of the best points
_BEST = 5  # points
_MOST = 200  # trials that the process is fitted to
_APART = 0.25  # least difference from the first trial in some coordinate; it falls with the number of trials
_WIDTH, _OTHER = 0.5, 1.0  # of the prior: standard deviation of a number, logarithm of the odds of a word
_BELIEF = 0.5  # number of trials that the prior is worth


class BayesSampler(BaseSampler):
    """Expected improvement by a Gaussian process, with the default of the space as a prior.

    Candidates lie around the default, around the best trials, and anywhere. The logarithm of their expected improvement
    (Jones et al. 1998; Ament et al. 2023) plus a share of the logarithm of the prior decides; the share falls with the
    number of trials (πBO, Hvarfner et al. 2022). The expectation is over the noise, so that a lucky trial is not
    chased. A pruned trial counts with the value that it had reached, a running one with that which is expected of it.
    """

    def __init__(self, coordinates: Coordinates, seed: int) -> None:
        self._coordinates = coordinates
        self._rng = np.random.default_rng(seed)
        self._other = RandomSampler(seed=seed)
        n_values = [axis.n_values for axis in coordinates.axes.values()]
        self._steps = np.array([_STEP if n is None else max(_STEP, _TO_THE_NEXT / max(1, n - 1)) for n in n_values])

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """All hyperparameters that a point of the space can have."""
        return {name: axis.distribution for name, axis in self._coordinates.axes.items()}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """A complete point."""
        with threadpool_limits(1, "blas"):  # threads of BLAS and running trials would wait for each other
            return self._coordinates.point(self._next(study, study.get_trials(deepcopy=False), trial.number))

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A random value of a hyperparameter that the space does not have."""
        return self._other.sample_independent(study, trial, param_name, param_distribution)

    def _next(self, study: optuna.Study, trials: Sequence[FrozenTrial], number: int) -> np.ndarray:
        coordinates = self._coordinates
        around = self._near(coordinates.default[None], _CHANGED[0])
        ended, losses = self._ended(trials, 1 if study.direction == StudyDirection.MINIMIZE else -1)
        if len(ended) < 2:
            first: np.ndarray = coordinates.settled(around[:1])[0]
            return first
        points = coordinates.vectors([trial.params for trial in ended])
        process = GaussianProcess.fit(points, _targets(losses), coordinates.is_word)
        running = [t.params for t in trials if t.state == TrialState.RUNNING and t.number != number and t.params]
        if running:
            process = process.believing(coordinates.vectors(running))
        expected, _ = process.predict(points)
        best = points[np.argsort(expected)[:_BEST]]
        candidates = coordinates.settled(np.concatenate([around, self._near(best, _CHANGED[1]), self._anywhere()]))
        candidates = self._apart(candidates, coordinates.vectors([t.params for t in trials if t.number != number]))
        mean, deviation = process.predict(candidates)
        gain = np.log(deviation) + log_expected_improvement((expected.min() - mean) / deviation)
        chosen: np.ndarray = candidates[np.argmax(gain + _BELIEF / len(ended) * self._log_prior(candidates))]
        return chosen

    def _ended(self, trials: Sequence[FrozenTrial], sign: int) -> tuple[list[FrozenTrial], np.ndarray]:
        """Trials that tell something, at most 200, half of them the best ones, and their losses."""
        ended, losses = [], []
        for trial in trials:
            if trial.state == TrialState.COMPLETE:
                ended.append(trial)
                losses.append(sign * trial.values[0])
            elif trial.state == TrialState.PRUNED and trial.intermediate_values:
                ended.append(trial)
                losses.append(sign * trial.intermediate_values[max(trial.intermediate_values)])
        if len(ended) > _MOST:
            order = np.argsort(losses)
            kept = [*order[: _MOST // 2], *self._rng.choice(order[_MOST // 2 :], _MOST // 2, replace=False)]
            ended, losses = [ended[i] for i in kept], [losses[i] for i in kept]
        return ended, np.array(losses)

    def _near(self, points: np.ndarray, share: float) -> np.ndarray:
        """Candidates that differ from a point, one of (n, n_coordinates), in a share of the coordinates."""
        vectors = points[np.arange(_CANDIDATES) % len(points)]
        numbers = vectors + self._steps * self._rng.normal(size=vectors.shape)
        moved = np.where(self._coordinates.is_word, self._rng.random(vectors.shape), numbers)
        return np.where(self._rng.random(vectors.shape) < share, moved, vectors)

    def _anywhere(self) -> np.ndarray:
        """Candidates that are uniform over the space, each value of a few as likely as the others."""
        vectors = self._rng.random((_CANDIDATES, len(self._coordinates.axes)))
        for i, axis in enumerate(self._coordinates.axes.values()):
            if axis.n_values is not None:
                vectors[:, i] = self._rng.integers(axis.n_values, size=_CANDIDATES) / max(1, axis.n_values - 1)
        return vectors

    def _apart(self, candidates: np.ndarray, tried: np.ndarray) -> np.ndarray:
        """The candidates that differ from every trial by more than noise would hide; all, if there are none."""
        n_coordinates = candidates.shape[1]
        scale = np.where(self._coordinates.is_word, n_coordinates, 1.0)  # another word is another point
        distances = cdist(candidates * scale, tried * scale, "chebyshev").min(axis=1)
        found: np.ndarray = candidates[distances >= _APART * len(tried) ** (-2 / n_coordinates)]
        return found if len(found) else candidates

    def _log_prior(self, vectors: np.ndarray) -> np.ndarray:
        """(n,) logarithms of a density around the default."""
        differences, words = vectors - self._coordinates.default, self._coordinates.is_word
        by_numbers = ((differences[:, ~words] / _WIDTH) ** 2).sum(axis=1) / 2
        return np.asarray(-by_numbers - _OTHER * (differences[:, words] != 0).sum(axis=1))


def log_expected_improvement(z: np.ndarray) -> np.ndarray:
    """Logarithm of the mean of max(0, z + a standard normal variable), also where that underflows.

    See Ament et al., Unexpected Improvements to Expected Improvement, NeurIPS 2023, appendix A.
    """
    log_density = -(z**2) / 2 - np.log(2 * np.pi) / 2
    near = np.maximum(z, -1.0)
    far = np.clip(z, -1e3, -1.0)
    direct = np.log(np.exp(-(near**2) / 2) / np.sqrt(2 * np.pi) + near * np.exp(log_ndtr(near)))
    ratio = np.log(-far) + log_ndtr(far) + far**2 / 2 + np.log(2 * np.pi) / 2
    tail = log_density + np.log(-np.expm1(np.minimum(ratio, -1e-12)))
    return np.asarray(np.where(z > -1, direct, tail))


def _targets(losses: np.ndarray) -> np.ndarray:
    """Losses with mean 0 and variance 1; those above Tukey's upper fence, which may be enormous, are put on it."""
    low, high = np.quantile(losses, (0.25, 0.75))
    kept = np.minimum(losses, high + 1.5 * (high - low))
    return np.asarray((kept - kept.mean()) / (kept.std() or 1.0))
