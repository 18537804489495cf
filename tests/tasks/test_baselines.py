from __future__ import annotations

import numpy as np
import pytest

from steps.datasets import Dataset, Split
from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest
from steps.datasets.tabular.target import Target
from steps.tasks.baselines import Features
from steps.tasks.classification.baselines import LOGISTIC_REGRESSION, MOST_FREQUENT_CLASS
from steps.tasks.classification.task import Classification
from steps.tasks.regression.baselines import MEAN, RIDGE_REGRESSION
from steps.tasks.regression.task import Regression
from steps.tasks.task import task_of

PAIR = Target("classification", class_names=("no", "yes"))


def coded(n: int, seed: int, n_levels: int = 300) -> Split:
    """A number that tells nothing and two codes, of `n_levels` and of 3 categories, that give the class together."""
    rng = np.random.default_rng(seed)
    many, few = rng.integers(0, n_levels, n), rng.integers(0, 3, n)
    targets = ((many * 7919 % 13 < 6) ^ (few == 1)).astype(np.int32)
    features = np.stack([rng.normal(size=n), many, n_levels + few], axis=1).astype(np.float32)
    return Split(features, targets)


def test_categories_are_columns_for_a_linear_model() -> None:
    train, test = coded(500, 0, n_levels=20), coded(50, 1, n_levels=25)  # five levels are new
    ours, theirs = Features(n_codes=2).linear(train, test)
    assert (ours.shape, theirs.shape) == ((500, 24), (50, 24))
    np.testing.assert_allclose(ours.toarray()[:, 1:].sum(1), 2)
    assert theirs.toarray()[:, 1:].sum(1).min() == 0 + (test.features[:, 1] < 20).all()


def test_categories_are_sets_for_trees_and_new_ones_are_missing() -> None:
    train, test = coded(500, 0, n_levels=20), coded(50, 1, n_levels=25)
    ours, theirs, categories = Features(n_codes=2).trees(train, test)
    assert categories == [1, 2]
    assert np.unique(ours[:, 1]).tolist() == list(range(20))
    assert np.unique(ours[:, 2]).tolist() == [0, 1, 2]
    np.testing.assert_array_equal(np.isnan(theirs[:, 1]), test.features[:, 1] >= 20)
    assert Features(n_codes=2).trees(coded(5000, 0), test)[2] == [2]  # 300 levels are numbers


def test_trees_learn_from_categories() -> None:
    train, test = coded(4000, 0, n_levels=50), coded(1000, 1, n_levels=50)
    fitted = Classification(PAIR, Features(n_codes=2)).boosting(train, test)
    assert fitted is not None
    assert fitted.n_rows == 4000
    assert (fitted.outputs.argmax(1) == test.targets).mean() > 0.9
    np.testing.assert_allclose(fitted.outputs.sum(1), 1, rtol=1e-6)


def test_trees_are_left_out_for_images(digits: Dataset) -> None:
    assert task_of(digits).boosting(digits.splits["train"], digits.splits["validation"]) is None


def test_trees_get_a_sample_of_rows_where_all_would_take_too_long() -> None:
    small = coded(500, 0)
    assert Features().rows_for_trees(small, 1) is small
    large = Split(np.broadcast_to(np.float32(0), (1_000_000, 40)), np.arange(1_000_000, dtype=np.int32))
    sample = Features().rows_for_trees(large, 2)
    assert len(sample) == 250_000
    assert 0.45 < sample.targets.mean() / 1_000_000 < 0.55


def test_baselines_of_numbers() -> None:
    data = load_dataset(DataRequest("diabetes"))
    train, test = data.splits["train"], data.splits["test"]
    task = task_of(data)
    found = task.baselines(train, test)
    trees = task.boosting(train, test)
    assert trees is not None
    scores = {
        name: task.primary.value(test.targets, outputs) for name, outputs in {**found, "trees": trees.outputs}.items()
    }
    assert {outputs.shape for outputs in (*found.values(), trees.outputs)} == {(len(test), 1)}
    assert np.unique(found[MEAN]) == pytest.approx(train.targets.mean())
    assert max(scores[RIDGE_REGRESSION], scores["trees"]) < scores[MEAN]


@pytest.mark.parametrize("task", [Classification(PAIR), Regression(Target("regression"))])
def test_weights_count_rows(task: Classification | Regression) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 2)).astype(np.float32)
    targets = (features[:, 0] + rng.normal(size=200) > 0).astype(np.int32)
    weights = rng.integers(1, 4, 200)
    weighted = Split(features, targets, weights.astype(np.float32))
    repeated = Split(np.repeat(features, weights, axis=0), np.repeat(targets, weights))
    ours, theirs = (task.baselines(train, weighted) for train in (weighted, repeated))
    for name in (MOST_FREQUENT_CLASS, LOGISTIC_REGRESSION, MEAN, RIDGE_REGRESSION):
        if name in ours:
            np.testing.assert_allclose(ours[name], theirs[name], atol=2e-3, err_msg=name)
