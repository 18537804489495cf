from __future__ import annotations

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

from steps.tasks.classification.metrics import (
    METRICS,
    StreamedMetrics,
    calibration_error,
    confusion,
    log_loss,
    mlflow_metrics,
    recalls,
    wilson_interval,
    worst_mistakes,
)

PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]], np.float32)
LABELS = np.array([0, 1, 1, 0], np.int32)


def test_metrics_of_a_case_done_by_hand() -> None:
    found = {name: metric.value(LABELS, PROBABILITIES) for name, metric in METRICS.items()}
    assert found["accuracy"] == 0.5
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.8, 0.3, 0.4]).mean(), rel=1e-6)
    assert found["f1_macro"] == pytest.approx(0.5)
    assert found["recall"] == 0.5
    assert found["calibration_error"] == pytest.approx((0.1 + 0.2 + 0.7 + 0.6) / 4, rel=1e-6)
    assert confusion(LABELS, PROBABILITIES).tolist() == [[1, 1], [1, 1]]
    assert worst_mistakes(LABELS, PROBABILITIES, 5).tolist() == [2, 3]


def test_wilson_interval_of_published_examples() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    for right, n, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert wilson_interval(right, n) == pytest.approx((low, high), abs=5e-5)


def test_a_classifier_as_sure_as_it_is_right_is_calibrated() -> None:
    labels = np.array([0] * 75 + [1] * 25)
    assert calibration_error(labels, np.tile([0.75, 0.25], (100, 1))) == pytest.approx(0)


@pytest.mark.filterwarnings("ignore")
def test_mlflow_metrics_are_those_of_mlflow(tracking: Path) -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), 300)
    labels = np.where(rng.random(300) < 0.6, probabilities.argmax(1), rng.integers(0, 3, 300))
    data = pd.DataFrame({"label": labels, "prediction": probabilities.argmax(1)})
    with mlflow.start_run():
        theirs = mlflow.models.evaluate(
            data=data, targets="label", predictions="prediction", model_type="classifier",
            evaluator_config={"log_explainer": False},
        ).metrics  # fmt: skip
    ours = mlflow_metrics(confusion(labels, probabilities), log_loss(labels, probabilities))
    assert set(ours) == {*theirs, "log_loss"}
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value), name


def test_recall_of_each_class() -> None:
    assert recalls(np.array([0, 1, 1, 1]), PROBABILITIES).tolist() == [1.0, 2 / 3]
    assert recalls(np.array([0, 0, 0, 0]), PROBABILITIES).tolist() == [0.5, 1.0]


def test_streamed_metrics_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), 300).astype(np.float32)
    probabilities[0] = [1, 0, 0, 0]
    labels = rng.integers(0, 4, 300)
    streamed = StreamedMetrics(4)
    assert streamed.result() == {}
    for start in range(0, 300, 77):
        streamed.add(labels[start : start + 77], probabilities[start : start + 77])
    whole = mlflow_metrics(confusion(labels, probabilities), log_loss(labels, probabilities))
    assert streamed.result() == pytest.approx(whole)


def test_metrics_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.ones(5), 200).astype(np.float32)
    targets = rng.integers(0, 4, 200)  # the fifth class never occurs
    exact, classes = probabilities.astype(np.float64), range(5)
    exact /= exact.sum(1, keepdims=True)
    assert METRICS["accuracy"].value(targets, probabilities) == sklearn.metrics.accuracy_score(
        targets, probabilities.argmax(1)
    )
    assert METRICS["log_loss"].value(targets, probabilities) == pytest.approx(
        sklearn.metrics.log_loss(targets, exact, labels=classes)
    )
    assert METRICS["f1_macro"].value(targets, probabilities) == pytest.approx(
        sklearn.metrics.f1_score(targets, probabilities.argmax(1), labels=classes, average="macro", zero_division=0)
    )


def test_the_log_loss_of_a_certain_mistake_is_finite() -> None:
    assert 100 < log_loss(np.array([1]), np.array([[1.0, 0.0]], np.float32)) < 110
