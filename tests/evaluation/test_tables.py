"""A table from a file to the second version of its model: metrics, requirements, rivals and comparison by its task."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from tests.conftest import Step
from tests.running import succeeded


def write(path: Path) -> None:
    """600 rows whose target is a product: too much for a linear model, little for an MLP."""
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-2, 2, (2, 600))
    price = 1000 * (a * b + rng.normal(0, 0.2, 600)) + 5000
    bought = np.where(a * b + rng.normal(0, 0.2, 600) > 0.5, "yes", "no")
    table = pd.DataFrame(
        {"a": a, "b": b, "shop": rng.choice(["north", "south"], 600), "price": price, "bought": bought}
    )
    table.to_csv(path, index=False)


def evaluated_twice(step: Step, folder: Path, target: str, require: str) -> tuple[Run, Run]:
    """Tunes a model of a column; the first version is trained for two epochs, the second as long as a trial."""
    write(folder / "sales.csv")
    other = {"price": "bought", "bought": "price"}[target]
    succeeded(step("download", "--dataset", "sales.csv", "--target", target, "--ignore-columns", other, "--folds", "1"))
    succeeded(step("tune", "--n-trials", "1", "--max-epochs", "40"))
    succeeded(step("evaluate", "--final-epochs", "2"))
    assert "On the same rows, " in succeeded(step("evaluate", "--require", require))
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (tune,) = client.search_runs(["0"], "tags.`pipeline.step` = 'tune'")
    assert tune.data.params["resolved_n_jobs"] == "1"  # the only trial has all cores
    query = "tags.`pipeline.step` = 'evaluate'"
    first, second = client.search_runs(["0"], query, order_by=["attributes.start_time"])
    return first, second


def test_numbers_are_judged_by_their_rmse(step: Step, tmp_path: Path) -> None:
    first, second = evaluated_twice(step, tmp_path, "price", "rmse<=900,r2>=0.3")
    for run in (first, second):
        metrics, tags = run.data.metrics, run.data.tags
        assert metrics["test_rmse_low"] < metrics["test_rmse"] < metrics["test_rmse_high"]
        assert metrics["root_mean_squared_error"] == pytest.approx(metrics["test_rmse"])
        assert {"test_mae", "test_r2", "mean_rmse", "ridge_regression_rmse", "gradient_boosting_rmse"} <= set(metrics)
        assert (tags["validation_status"], tags["promotion"]) == ("approved", "promoted")
    assert metrics["test_coverage_low"] < metrics["test_coverage"] < metrics["test_coverage_high"]
    assert metrics["test_coverage_high"] > 0.9
    assert metrics["test_rmse"] < metrics["ridge_regression_rmse"] / 2
    assert metrics["champion_test_rmse"] == pytest.approx(first.data.metrics["test_rmse"], rel=1e-5)
    assert metrics["sign_flip_p_value"] < 0.05
    path = Path(second.info.artifact_uri.removeprefix("file://")) / "evaluation.json"
    result = json.loads(path.read_text())
    assert "HistGradientBoosting (RMSE " in result["notes"][0]
    assert "made to hold 90 % of the targets" in result["notes"][1]
    succeeded(step("predict", "--model-uri", "models:/sales-mlp/2", "--input", "sales.csv", "--output", "out.csv"))
    found, prices = pd.read_csv(tmp_path / "out.csv"), pd.read_csv(tmp_path / "sales.csv")["price"]
    assert found.columns.tolist() == ["row", "predicted", "low", "high"]
    assert prices.between(found["low"], found["high"]).mean() > 0.85
    refused = step("predict", "--model-uri", "models:/sales-mlp/2", "--output", "more.csv", "--sets", "0.9")
    assert refused.stderr == "Error: sets must be 0 for a model that predicts numbers, with intervals, got 0.9\n"
    assert result["comparison"]["champion"]["low"] < metrics["champion_test_rmse"]

    check_card(f"sqlite:///{tmp_path}/mlflow.db", tmp_path)


def check_card(store: str, folder: Path) -> None:
    """The card of the second version is its description and a file of its model, and the example in it runs."""
    mlflow.set_tracking_uri(store)
    mlflow.set_registry_uri(store)
    path = mlflow.artifacts.download_artifacts("models:/sales-mlp/2/card.md", dst_path=str(folder))
    card = Path(path).read_text(encoding="utf-8")
    assert MlflowClient(store).get_model_version("sales-mlp", "2").description.endswith(card)
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        exec(card.partition("```python\n")[2].partition("```")[0], {})
    assert "predicted" in written.getvalue()


@pytest.mark.slow
def test_two_classes_are_judged_by_their_ranking(step: Step, tmp_path: Path) -> None:
    _, second = evaluated_twice(step, tmp_path, "bought", "roc_auc>=0.8")
    metrics = second.data.metrics
    assert second.data.tags["validation_status"] == "approved"
    assert metrics["test_roc_auc_low"] < metrics["test_roc_auc"] < metrics["test_roc_auc_high"]
    assert metrics["roc_auc"] == pytest.approx(metrics["test_roc_auc"], abs=1e-4)
    assert metrics["most_frequent_class_roc_auc"] == 0.5
    assert metrics["true_positives"] + metrics["false_negatives"] > 0
    assert 0 <= metrics["delong_p_value"] <= 1
