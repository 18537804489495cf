"""A Gaussian process over points of a unit cube, some of whose coordinates are words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

_SQRT5 = math.sqrt(5)
_NOISE = math.log(0.1)  # median of the prior
_LEAST_NOISE = 1e-4
_STEPS = 20  # of the fit


@dataclass(frozen=True)
class GaussianProcess:
    """A Gaussian process with a Matérn 5/2 kernel of variance 1, one length scale per coordinate, and noise.

    Attributes:
        points: (n, n_coordinates).
        is_word: (n_coordinates,) bool, whether two values are just equal or different.
        lengths: (n_coordinates,) length scales.
        noise: Variance of the noise.
        factor: (n, n) lower Cholesky factor of the covariance of the targets.
        weights: (n,) the inverse of that covariance, times the targets.
    """

    points: np.ndarray
    is_word: np.ndarray
    lengths: np.ndarray
    noise: float
    factor: np.ndarray
    weights: np.ndarray

    @classmethod
    def fit(cls, points: np.ndarray, targets: np.ndarray, is_word: np.ndarray) -> Self:
        """A process with the length scales and the noise of the largest posterior density.

        See Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, section 5.4. The prior of the length
        scales grows with the number of coordinates (Hvarfner et al., ICML 2024).

        Args:
            points: (n, n_coordinates) in 0 to 1.
            targets: (n,) with mean 0 and variance 1.
            is_word: (n_coordinates,) bool.
        """
        n, n_lengths = points.shape
        differences = points.T[:, :, None] - points.T[:, None, :]
        differences[is_word] = differences[is_word] != 0
        squares = differences**2
        center = np.append(np.full(n_lengths, math.sqrt(2) + math.log(n_lengths) / 2), _NOISE)
        spread = np.append(np.full(n_lengths, math.sqrt(3)), 1.0)

        def loss(logarithms: np.ndarray) -> tuple[float, np.ndarray]:
            """Negative logarithm of the posterior density, and its gradient."""
            inverses, noise = np.exp(-2 * logarithms[:-1]), math.exp(logarithms[-1])
            kernel, slope = _matern(np.tensordot(inverses, squares, 1))
            factor = cho_factor(kernel + (noise + _LEAST_NOISE) * np.eye(n), lower=True, check_finite=False)
            weights = cho_solve(factor, targets, check_finite=False)
            pull = cho_solve(factor, np.eye(n), check_finite=False) - np.outer(weights, weights)
            deviation = (logarithms - center) / spread
            value = (targets @ weights + deviation @ deviation) / 2 + np.log(np.diag(factor[0])).sum()
            gradient = np.append(-np.tensordot(squares, pull * slope, 2) * inverses, np.trace(pull) * noise / 2)
            return float(value), gradient + deviation / spread

        start = np.append(np.zeros(n_lengths), _NOISE)
        bounds = [(-3.0, 6.0)] * n_lengths + [(-9.0, 1.0)]
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS}).x
        return cls._of(points, targets, is_word, np.exp(found[:-1]), math.exp(found[-1]) + _LEAST_NOISE)

    @classmethod
    def _of(
        cls, points: np.ndarray, targets: np.ndarray, is_word: np.ndarray, lengths: np.ndarray, noise: float
    ) -> Self:
        kernel, _ = _matern(_squares(points, points, is_word, lengths))
        factor = np.linalg.cholesky(kernel + noise * np.eye(len(points)))
        return cls(points, is_word, lengths, noise, factor, cho_solve((factor, True), targets))

    def believing(self, points: np.ndarray) -> Self:
        """This process with further points, whose targets are as it predicts (Ginsbourger et al. 2010).

        Args:
            points: (m, n_coordinates) in 0 to 1.
        """
        targets = np.append(self.factor @ (self.factor.T @ self.weights), self.predict(points)[0])
        return self._of(np.concatenate([self.points, points]), targets, self.is_word, self.lengths, self.noise)

    def predict(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation, (m,) each, of the targets without their noise.

        Args:
            points: (m, n_coordinates) in 0 to 1.
        """
        kernel, _ = _matern(_squares(points, self.points, self.is_word, self.lengths))
        explained = solve_triangular(self.factor, kernel.T, lower=True, check_finite=False)
        variance = 1 - np.einsum("ij,ij->j", explained, explained)
        return kernel @ self.weights, np.sqrt(np.maximum(variance, 1e-12))


def _squares(a: np.ndarray, b: np.ndarray, is_word: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(len(a), len(b)) squared distances, in length scales."""
    scaled = [points[:, ~is_word] / lengths[~is_word] for points in (a, b)]
    squares: np.ndarray = cdist(*scaled, "sqeuclidean")
    for i in np.flatnonzero(is_word):
        squares += (a[:, i, None] != b[:, i]) / lengths[i] ** 2
    return squares


def _matern(squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The kernel of squared distances, and its derivative with respect to them."""
    distances = _SQRT5 * np.sqrt(squares)
    decay = np.exp(-distances)
    return (1 + distances + distances**2 / 3) * decay, -5 / 6 * (1 + distances) * decay
