"""The sampler `bayes`: coordinates of a space, the Gaussian process on them, and what it suggests."""

from __future__ import annotations

from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState
from scipy.integrate import quad
from scipy.optimize import check_grad
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from steps.search.space.file import load_space, space_path
from steps.search.space.space import Dimension, Space
from steps.search.strategy import gaussian_process
from steps.search.strategy.bayes import log_expected_improvement
from steps.search.strategy.coordinates import Coordinates
from steps.search.strategy.gaussian_process import GaussianProcess
from steps.search.strategy.samplers import make_sampler

KIND = CategoricalDistribution(("a", "b", "c"))
WORD = Space((Dimension("kind", KIND, default="b"), Dimension("x", FloatDistribution(0, 1), default=0.5)))


@pytest.mark.parametrize("name", ["image", "table", "small", "grid"])
def test_a_point_is_that_of_its_vector(name: str, seed: int) -> None:
    space = load_space(space_path(name))
    coordinates, study = Coordinates(space), optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    points = []
    for _ in range(50):
        trial = study.ask()
        space.suggest(trial)
        points.append(trial.params)
    vectors = coordinates.vectors(points)
    assert ((vectors >= 0) & (vectors <= 1)).all()
    for point, vector in zip(points, vectors, strict=True):
        found = coordinates.point(vector)
        assert found.keys() == point.keys()
        assert all(found[k] == (pytest.approx(v) if isinstance(v, float) else v) for k, v in point.items())
    np.testing.assert_allclose(coordinates.settled(vectors), vectors)


@pytest.mark.parametrize("name", ["image", "table", "small", "grid"])
def test_settled_vectors_are_those_of_points_of_the_space(name: str, seed: int) -> None:
    space = load_space(space_path(name))
    coordinates = Coordinates(space)
    given = np.random.default_rng(seed).normal(0.5, 1, (50, len(coordinates.axes)))
    for vector in coordinates.settled(given):
        point = coordinates.point(vector)
        assert space.complete(point).items() >= point.items()  # raises if it is not in the space
        absent = [i for i, axis in enumerate(coordinates.axes) if axis not in point]
        np.testing.assert_array_equal(vector[absent], coordinates.default[absent])


def test_the_default_is_that_of_the_space() -> None:
    space = load_space(space_path("table"))
    coordinates = Coordinates(space)
    assert coordinates.point(coordinates.default).items() <= space.complete({}).items()


def _process(seed: int, n: int = 30) -> tuple[GaussianProcess, np.ndarray]:
    rng = np.random.default_rng(seed)
    points = rng.random((n, 3))
    points[:, 2] = rng.integers(3, size=n) / 2
    targets = np.sin(6 * points[:, 0]) + (points[:, 2] == 0.5) + 0.1 * rng.normal(size=n)
    targets = (targets - targets.mean()) / targets.std()
    return GaussianProcess.fit(points, targets, np.array([False, False, True])), targets


def test_it_predicts_as_scikit_learn_does_with_the_same_length_scales(seed: int) -> None:
    process, targets = _process(seed)
    indicators = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]]) / np.sqrt(2)  # two words are at a distance of 1

    def expanded(points: np.ndarray) -> np.ndarray:
        return np.column_stack([points[:, :2], indicators[(2 * points[:, 2]).astype(int)]])

    kernel = Matern(process.lengths[[0, 1, 2, 2, 2]], "fixed", nu=2.5)
    theirs = GaussianProcessRegressor(kernel, alpha=process.noise, optimizer=None).fit(
        expanded(process.points), targets
    )
    places = process.points[:7] * [0.9, 0.8, 1]
    for ours, expected in zip(process.predict(places), theirs.predict(expanded(places), return_std=True), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_the_fit_knows_the_coordinates_that_matter(seed: int) -> None:
    process, _ = _process(seed, 60)
    assert process.lengths[0] < process.lengths[1] / 2
    assert process.noise < 0.2


def test_the_gradient_of_the_fit_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []

    def check(loss: Any, start: np.ndarray, **options: Any) -> Any:
        for at in (start, start + 0.5):
            checked.append(check_grad(lambda x: loss(x)[0], lambda x: loss(x)[1], at) / np.linalg.norm(loss(at)[1]))
        return minimize(loss, start, **options)

    minimize = gaussian_process.minimize
    monkeypatch.setattr(gaussian_process, "minimize", check)
    _process(0)
    assert max(checked) < 1e-4


def test_belief_in_a_point_leaves_the_mean_and_lowers_the_deviation_there(seed: int) -> None:
    process, _ = _process(seed)
    place = np.array([[0.5, 0.5, 0.5]])
    (mean, deviation), (later, less) = process.predict(place), process.believing(place).predict(place)
    np.testing.assert_allclose(later, mean, atol=1e-6)
    assert less < deviation


def test_the_logarithm_of_the_expected_improvement() -> None:
    z = np.array([3.0, 0.5, -0.9, -1.1, -5.0])
    expected = [quad(lambda x, z=z: (z + x) * norm.pdf(x), -z, 40)[0] for z in z]
    np.testing.assert_allclose(log_expected_improvement(z), np.log(expected), rtol=1e-5)
    far = log_expected_improvement(np.array([-50.0, -1e3, -1e5]))
    np.testing.assert_allclose(far, -(np.array([-50.0, -1e3, -1e5]) ** 2) / 2, rtol=1e-2)


def _best(space: Space, n_trials: int, loss: Any, seed: int, told: Any = lambda *_: False) -> float:
    study, best = optuna.create_study(sampler=make_sampler("bayes", seed, space)), np.inf
    for _ in range(n_trials):
        trial = study.ask()
        value = loss(space.suggest(trial))
        if not told(study, trial, value):
            study.tell(trial, value)
            best = min(best, value)
    return float(best)


def test_words_are_learned(seed: int) -> None:
    def loss(point: dict[str, Any]) -> float:
        return float((point["kind"] != "c") + (point["x"] - 0.2) ** 2)

    assert _best(WORD, 25, loss, seed) < 0.01


def test_pruned_and_failed_trials_and_an_enormous_loss_do_no_harm(seed: int) -> None:
    def told(study: optuna.Study, trial: optuna.Trial, loss: float) -> bool:
        if trial.number % 3 == 1:
            trial.report(loss, 1)
            study.tell(trial, state=TrialState.PRUNED)
        elif trial.number % 7 == 2:
            study.tell(trial, state=TrialState.FAIL)
        elif trial.number == 3:
            study.tell(trial, 1e30)
        else:
            return False
        return True

    assert _best(WORD, 40, lambda point: float((point["x"] - 0.2) ** 2), seed, told) < 0.03


def test_running_trials_are_not_suggested_again(seed: int) -> None:
    study = optuna.create_study(sampler=make_sampler("bayes", seed, WORD))
    for x in (0.1, 0.5, 0.9):
        study.add_trial(
            optuna.trial.create_trial(
                params={"kind": "b", "x": x},
                distributions={"kind": KIND, "x": FloatDistribution(0, 1)},
                value=(x - 0.4) ** 2,
            )
        )
    running = [WORD.suggest(study.ask()) for _ in range(6)]
    assert len({str(point) for point in running}) == len(running)


def test_a_study_of_more_trials_than_the_process_is_fitted_to(seed: int) -> None:
    study, rng = optuna.create_study(sampler=make_sampler("bayes", seed, WORD)), np.random.default_rng(seed)
    for x in rng.random(300).tolist():
        study.add_trial(
            optuna.trial.create_trial(
                params={"kind": "b", "x": x},
                distributions={"kind": KIND, "x": FloatDistribution(0, 1)},
                value=(x - 0.4) ** 2,
            )
        )
    assert WORD.suggest(study.ask())["kind"] in KIND.choices
