"""Permutation importance of the columns of a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from steps.datasets.tabular.target import Target
from steps.tasks.classification.task import Classification
from steps.tasks.importance import ColumnImportance, n_shuffles, permutation_importances
from steps.tasks.regression.task import Regression

RMSE = Regression(Target("regression")).metrics["rmse"]


def table(n: int = 3000) -> tuple[pd.DataFrame, np.ndarray]:
    """Three columns, and a target of which the first says most and the last nothing."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "strong": rng.normal(size=n),
            "weak": pd.Categorical(rng.choice(["no", "yes"], n)),
            "none": pd.array(rng.integers(0, 9, n), dtype="Int64"),
        }
    )
    return rows, 3 * rows["strong"].to_numpy() + (rows["weak"] == "yes").to_numpy() + 0.1 * rng.normal(size=n)


def predict(rows: pd.DataFrame) -> np.ndarray:
    """The model behind the target; it refuses columns of other types."""
    assert [str(kind) for kind in rows.dtypes] == ["float64", "category", "Int64"]
    return (3 * rows["strong"] + (rows["weak"] == "yes")).to_numpy()[:, None]


def test_columns_are_ranked_by_the_loss_of_the_metric() -> None:
    found = permutation_importances(predict, *table(), RMSE, seed=0)
    assert [column.name for column in found] == ["strong", "weak", "none"]
    strong, weak, none = found
    assert strong.mean == pytest.approx(3 * 2**0.5, rel=0.1)  # two independent draws of the column
    assert weak.mean == pytest.approx(0.5**0.5, rel=0.2)
    assert (none.mean, none.spread) == (0, 0)
    assert 0 < strong.spread < 0.2 * strong.mean


def test_a_metric_that_is_to_be_large_loses() -> None:
    rows, targets = table()
    metric = Classification(Target("classification", class_names=("low", "high"))).primary

    def probabilities(rows: pd.DataFrame) -> np.ndarray:
        high = 1 / (1 + np.exp(-predict(rows)))
        return np.concatenate([1 - high, high], axis=1)

    found = permutation_importances(probabilities, rows, (targets > 0.5).astype(int), metric, seed=0)
    assert metric.name == "roc_auc"
    assert [column.name for column in found] == ["strong", "weak", "none"]
    assert 0.3 < found[0].mean < 0.6
    assert permutation_importances(probabilities, rows, np.zeros(len(rows), int), metric, seed=0) == ()


def test_a_rare_class_has_its_column_first_in_a_wide_table_too() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(1200, 85)), columns=[f"x{i}" for i in range(85)])
    score = (0.9 * rows["x0"] + 0.2 * rows.drop(columns="x0").sum(axis=1)).to_numpy()
    targets = (score + 3 * rng.normal(size=1200) > np.quantile(score, 0.95)).astype(int)
    metric = Classification(Target("classification", class_names=("no", "yes"))).primary

    def probabilities(given: pd.DataFrame) -> np.ndarray:
        yes = 1 / (1 + np.exp(-(0.9 * given["x0"] + 0.2 * given.drop(columns="x0").sum(axis=1)).to_numpy()))
        return np.stack([1 - yes, yes], axis=1)

    found = permutation_importances(probabilities, rows, targets, metric, seed=0)
    assert found[0].name == "x0"
    assert found[0].is_clear


def test_columns_of_a_wide_table_are_shuffled_less_often() -> None:
    assert [n_shuffles(n) for n in (1, 20, 30, 85, 100)] == [5, 5, 3, 2, 2]


def test_an_importance_within_its_spread_is_not_clear() -> None:
    assert ColumnImportance("age", 0.02, 0.01).is_clear
    assert not ColumnImportance("age", 0.01, 0.02).is_clear
    assert not ColumnImportance("age", 0.0, 0.0).is_clear


@pytest.mark.parametrize(("n_columns", "expected"), [(100, 100), (101, 0)])
def test_a_very_wide_table_has_none(n_columns: int, expected: int) -> None:
    names = [f"x{i}" for i in range(n_columns)]
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(50, n_columns)), columns=names)
    found = permutation_importances(lambda rows: rows[["x0"]].to_numpy(), rows, rows["x0"].to_numpy(), RMSE, seed=0)
    assert len(found) == expected
