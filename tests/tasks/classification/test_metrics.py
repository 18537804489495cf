from __future__ import annotations

import time
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

from steps.datasets.tabular.target import Target
from steps.tasks.baselines import Features
from steps.tasks.classification.calibration import calibration_error
from steps.tasks.classification.counts import confusion, recalls
from steps.tasks.classification.metrics import ACCURACY, SEVERAL_CLASSES, log_loss, two_classes, worst_mistakes
from steps.tasks.classification.ranking import roc_auc
from steps.tasks.classification.streamed import StreamedMetrics, weighted
from steps.tasks.classification.task import Classification

PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]], np.float32)
LABELS = np.array([0, 1, 1, 0], np.int32)
FOUR = Target("classification", class_names=("a", "b", "c", "d"))


def test_metrics_of_a_case_done_by_hand() -> None:
    found = {name: metric.value(LABELS, PROBABILITIES) for name, metric in SEVERAL_CLASSES.items()}
    assert found["accuracy"] == 0.5
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.8, 0.3, 0.4]).mean(), rel=1e-6)
    assert found["f1_macro"] == pytest.approx(0.5)
    assert found["recall"] == 0.5
    assert found["calibration_error"] == pytest.approx((0.1 + 0.2 + 0.7 + 0.6) / 4, rel=1e-6)
    assert confusion(LABELS, PROBABILITIES).tolist() == [[1, 1], [1, 1]]
    assert worst_mistakes(LABELS, PROBABILITIES, PROBABILITIES.argmax(1), 5).tolist() == [2, 3]
    assert worst_mistakes(LABELS, PROBABILITIES, np.array([1, 1, 1, 1]), 5).tolist() == [3, 0]


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
    streamed = StreamedMetrics(FOUR, ACCURACY)
    streamed.add(labels, probabilities)
    ours = streamed.result()
    assert set(ours) == {*theirs, "log_loss"}
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value), name


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("positive", [0, 1])
def test_mlflow_metrics_of_two_classes_are_those_of_mlflow(tracking: Path, positive: int) -> None:
    probabilities, labels = two()
    data = pd.DataFrame({"label": labels, "prediction": probabilities.argmax(1)})
    with mlflow.start_run():
        theirs = mlflow.models.evaluate(
            data=data, targets="label", predictions="prediction", model_type="classifier",
            evaluator_config={"log_explainer": False, "pos_label": positive, "label_list": [1 - positive, positive]},
        ).metrics  # fmt: skip
    streamed = StreamedMetrics(Target("classification", "", ("0", "1"), str(positive)), ACCURACY)
    for start in range(0, 400, 77):
        streamed.add(labels[start : start + 77], probabilities[start : start + 77])
    ours = streamed.result()
    assert set(ours) == {*theirs, "log_loss", "roc_auc", "precision_recall_auc"}
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value), name
    scores = probabilities[:, positive]
    assert ours["roc_auc"] == pytest.approx(sklearn.metrics.roc_auc_score(labels == positive, scores), abs=1e-4)
    precision = sklearn.metrics.average_precision_score(labels == positive, scores)
    assert ours["precision_recall_auc"] == pytest.approx(precision, abs=1e-3)


def two() -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of 400 rows of two classes, some of them equal, some certain, and the labels."""
    rng = np.random.default_rng(0)
    first = np.round(rng.beta(0.5, 0.5, 400), 2).astype(np.float32)
    return np.stack([first, 1 - first], axis=1), (rng.random(400) > first).astype(np.int32)


@pytest.mark.parametrize("positive", [0, 1])
def test_metrics_of_two_classes_are_those_of_scikit_learn(positive: int) -> None:
    probabilities, labels = two()
    truth, predicted, scores = labels == positive, probabilities.argmax(1) == positive, probabilities[:, positive]
    found = {name: metric.value(labels, probabilities) for name, metric in two_classes(positive).items()}
    del found["calibration_error"]
    assert found == pytest.approx(
        {
            "accuracy": sklearn.metrics.accuracy_score(truth, predicted),
            "log_loss": log_loss(labels, probabilities),
            "roc_auc": sklearn.metrics.roc_auc_score(truth, scores),
            "average_precision": sklearn.metrics.average_precision_score(truth, scores),
            "f1": sklearn.metrics.f1_score(truth, predicted),
            "recall": sklearn.metrics.recall_score(truth, predicted),
            "precision": sklearn.metrics.precision_score(truth, predicted),
            "balanced_accuracy": sklearn.metrics.balanced_accuracy_score(truth, predicted),
            "f1_macro": sklearn.metrics.f1_score(truth, predicted, average="macro"),
            "matthews_corrcoef": sklearn.metrics.matthews_corrcoef(truth, predicted),
        }
    )


def test_intervals_hold_their_values_and_100_000_rows_take_seconds() -> None:
    rng = np.random.default_rng(0)
    for n_classes in (2, 20):
        probabilities = rng.dirichlet(np.ones(n_classes), 100_000).astype(np.float32)
        labels = np.where(rng.random(100_000) < 0.6, probabilities.argmax(1), rng.integers(0, n_classes, 100_000))
        task = Classification(Target("classification", class_names=tuple(map(str, range(n_classes)))))
        start = time.monotonic()
        scores = task.test_scores(labels.astype(np.int32), probabilities)
        assert time.monotonic() - start < 60  # two seconds on an idle machine
        without = {name for name, score in scores.items() if score.low is None}
        assert without == {"calibration_error"} | ({"roc_auc"} if n_classes > 2 else set())
        for score in scores.values():
            assert score.low is None or score.low < score.value < score.high


def test_the_primary_metric_depends_on_the_data() -> None:
    pair = Target("classification", class_names=("no", "yes"), positive_class="no")
    several = Target("classification", class_names=("a", "b", "c"))
    assert Classification(pair).primary.name == "roc_auc"
    assert next(iter(Classification(pair).metrics)) == "roc_auc"
    assert Classification(pair, Features(is_image=True)).primary.name == "accuracy"
    assert Classification(several).primary.name == "accuracy"


def test_the_positive_class_is_the_one_that_is_asked_for() -> None:
    probabilities, labels = two()
    no = Classification(Target("classification", class_names=("no", "yes"), positive_class="no"))
    yes = Classification(Target("classification", class_names=("no", "yes")))
    assert no.metrics["recall"].value(labels, probabilities) == recalls(confusion(labels, probabilities))[0]
    assert yes.metrics["recall"].value(labels, probabilities) == recalls(confusion(labels, probabilities))[1]
    assert no.primary.value(labels, probabilities) == pytest.approx(yes.primary.value(labels, probabilities))
    assert no.compare(labels, probabilities, probabilities).test == "DeLong's test"


def test_a_ranking_without_both_classes_has_no_area() -> None:
    assert np.isnan(roc_auc(np.ones(3, bool), np.arange(3.0)))
    assert np.isnan(roc_auc(np.arange(3) > 1, np.array([0.1, np.nan, 0.3])))


def test_recall_of_each_class() -> None:
    assert recalls(confusion(np.array([0, 1, 1, 1]), PROBABILITIES)).tolist() == [1.0, 2 / 3]
    found = recalls(confusion(np.array([0, 0, 0, 0]), PROBABILITIES))
    assert found[0] == 0.5
    assert np.isnan(found[1])
    assert SEVERAL_CLASSES["recall"].value(np.array([0, 0, 0, 0]), PROBABILITIES) == 0.5


def test_streamed_metrics_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), 300).astype(np.float32)
    probabilities[0] = [1, 0, 0, 0]
    labels = rng.integers(0, 4, 300)
    streamed = StreamedMetrics(FOUR, ACCURACY)
    assert streamed.result() == {}
    for start in range(0, 300, 77):
        streamed.add(labels[start : start + 77], probabilities[start : start + 77])
    whole = {"example_count": 300.0, "log_loss": log_loss(labels, probabilities)}
    assert streamed.result() == pytest.approx(whole | weighted(confusion(labels, probabilities)))
    assert streamed.summary() == f"accuracy {streamed.result()['accuracy_score']:.4f}"


def test_metrics_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.ones(5), 200).astype(np.float32)
    targets = rng.integers(0, 4, 200)  # the fifth class never occurs
    exact, classes = probabilities.astype(np.float64), range(5)
    exact /= exact.sum(1, keepdims=True)
    assert SEVERAL_CLASSES["accuracy"].value(targets, probabilities) == sklearn.metrics.accuracy_score(
        targets, probabilities.argmax(1)
    )
    assert SEVERAL_CLASSES["log_loss"].value(targets, probabilities) == pytest.approx(
        sklearn.metrics.log_loss(targets, exact, labels=classes)
    )
    assert SEVERAL_CLASSES["f1_macro"].value(targets, probabilities) == pytest.approx(
        sklearn.metrics.f1_score(targets, probabilities.argmax(1), labels=classes, average="macro", zero_division=0)
    )
    assert SEVERAL_CLASSES["matthews_corrcoef"].value(targets, probabilities) == pytest.approx(
        sklearn.metrics.matthews_corrcoef(targets, probabilities.argmax(1))
    )
    assert SEVERAL_CLASSES["balanced_accuracy"].value(targets, probabilities) == pytest.approx(
        sklearn.metrics.recall_score(targets, probabilities.argmax(1), labels=range(4), average="macro")
    )
    assert SEVERAL_CLASSES["roc_auc"].value(targets, probabilities) == pytest.approx(
        np.mean([sklearn.metrics.roc_auc_score(targets == i, probabilities[:, i]) for i in range(4)])
    )


def test_the_log_loss_of_a_certain_mistake_is_finite() -> None:
    assert 100 < log_loss(np.array([1]), np.array([[1.0, 0.0]], np.float32)) < 110
