from __future__ import annotations

import time
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

from steps.datasets.tabular.target import Target
from steps.tasks.regression.metrics import METRICS, PERCENTAGE
from steps.tasks.regression.streamed import StreamedMetrics
from steps.tasks.regression.task import Regression


def predictions(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    targets = rng.lognormal(10, 1, n).astype(np.float32)
    return targets, (targets * rng.lognormal(0, 0.3, n))[:, None].astype(np.float32)


def test_metrics_are_those_of_scikit_learn() -> None:
    targets, outputs = predictions(500)
    found = {name: metric.value(targets, outputs) for name, metric in {**METRICS, PERCENTAGE.name: PERCENTAGE}.items()}
    exact, predicted = targets.astype(float), outputs[:, 0].astype(float)
    assert found == pytest.approx(
        {
            "rmse": sklearn.metrics.root_mean_squared_error(exact, predicted),
            "mae": sklearn.metrics.mean_absolute_error(exact, predicted),
            "r2": sklearn.metrics.r2_score(exact, predicted),
            "median_absolute_error": sklearn.metrics.median_absolute_error(exact, predicted),
            "mean_absolute_percentage_error": sklearn.metrics.mean_absolute_percentage_error(exact, predicted),
        },
        rel=1e-9,
    )


def test_every_metric_has_an_interval_around_its_value_and_100_000_rows_take_seconds() -> None:
    targets, outputs = predictions(100_000)
    task = Regression(Target("regression", low=1.0, high=1e6))
    start = time.monotonic()
    scores = task.test_scores(targets, outputs)
    assert time.monotonic() - start < 60  # two seconds on an idle machine
    assert list(scores) == [*METRICS, PERCENTAGE.name]
    for score in scores.values():
        assert score.low is not None
        assert score.high is not None
        assert score.low < score.value < score.high
        assert score.high - score.low < 0.1 * abs(score.value)


def test_percentage_errors_need_targets_away_from_0() -> None:
    assert PERCENTAGE.name not in Regression(Target("regression", low=0.0, high=9.0)).metrics
    assert PERCENTAGE.name in Regression(Target("regression", low=-9.0, high=-1.0)).metrics


def test_a_perfect_and_a_constant_case() -> None:
    targets = np.array([1, 2, 3, 4], np.float32)
    assert METRICS["r2"].measure(targets, targets[:, None]).value == 1
    assert METRICS["rmse"].measure(targets, targets[:, None]).low is None
    assert METRICS["r2"].value(np.ones(4, np.float32), targets[:, None]) == 0


@pytest.mark.filterwarnings("ignore")
def test_streamed_metrics_are_those_of_mlflow(tracking: Path) -> None:
    targets, outputs = predictions(300)
    targets += 1e5  # far from 0, where naive sums lose their digits
    outputs += 1e5
    with mlflow.start_run():
        theirs = mlflow.models.evaluate(
            data=pd.DataFrame({"target": targets.astype(float), "prediction": outputs[:, 0].astype(float)}),
            targets="target", predictions="prediction", model_type="regressor",
            evaluator_config={"log_explainer": False},
        ).metrics  # fmt: skip
    streamed = StreamedMetrics()
    assert streamed.result() == {}
    for start in range(0, 300, 77):
        streamed.add(targets[start : start + 77], outputs[start : start + 77])
    assert streamed.result() == pytest.approx(theirs, rel=1e-6)
    assert streamed.summary().startswith("RMSE ")
