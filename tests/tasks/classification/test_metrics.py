from __future__ import annotations

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from steps.tasks.classification.metrics import (
    StreamedMetrics,
    confusion,
    expected_calibration_error,
    metrics,
    mlflow_metrics,
    recalls,
    wilson_interval,
    worst_mistakes,
)

PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]], np.float32)
LABELS = np.array([0, 1, 1, 0], np.int32)


def test_metrics_of_a_case_done_by_hand() -> None:
    found = metrics(PROBABILITIES, LABELS)
    assert found.test_accuracy == 0.5
    assert found.test_log_loss == pytest.approx(-np.log([0.9, 0.8, 0.3, 0.4]).mean(), rel=1e-6)
    assert found.test_macro_f1 == pytest.approx(0.5)
    assert found.test_ece == pytest.approx((0.1 + 0.2 + 0.7 + 0.6) / 4, rel=1e-6)
    assert confusion(PROBABILITIES, LABELS).tolist() == [[1, 1], [1, 1]]
    assert worst_mistakes(PROBABILITIES, LABELS, 5).tolist() == [2, 3]


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
    assert expected_calibration_error(np.tile([0.75, 0.25], (100, 1)), labels) == pytest.approx(0)


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
    ours = mlflow_metrics(confusion(probabilities, labels), metrics(probabilities, labels).test_log_loss)
    assert set(ours) == {*theirs, "log_loss"}
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value), name


def test_recall_of_each_class() -> None:
    assert recalls(PROBABILITIES, np.array([0, 1, 1, 1])).tolist() == [1.0, 2 / 3]
    assert recalls(PROBABILITIES, np.array([0, 0, 0, 0])).tolist() == [0.5, 1.0]


def test_streamed_metrics_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), 300).astype(np.float32)
    probabilities[0] = [1, 0, 0, 0]
    labels = rng.integers(0, 4, 300)
    streamed = StreamedMetrics(4)
    assert streamed.result() == {}
    for start in range(0, 300, 77):
        streamed.add(probabilities[start : start + 77], labels[start : start + 77])
    whole = mlflow_metrics(confusion(probabilities, labels), metrics(probabilities, labels).test_log_loss)
    assert streamed.result() == pytest.approx(whole)
