"""The one look at the test split: scores, baselines and checks of a logged model."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import mlflow
import numpy as np

from steps.datasets import Dataset
from steps.tasks.classification.baselines import baseline_predictions
from steps.tasks.classification.checks import Check, check_accuracy, check_baseline, check_predictions, check_recall
from steps.tasks.classification.metrics import Metrics, confusion, metrics, mlflow_metrics, recalls
from steps.tracking.models import check_interface


@dataclass(frozen=True)
class Assessment:
    """What a logged model does on the test split.

    Attributes:
        probabilities: (n, n_classes) float32, of the artifact itself, not of the model in memory.
        labels: (n,) int32.
        baselines: Test accuracy of each baseline, in [0, 1].
        recalls: (n_classes,), in [0, 1].
    """

    probabilities: np.ndarray
    labels: np.ndarray
    scores: Metrics
    baselines: dict[str, float]
    recalls: np.ndarray
    checks: tuple[Check, ...]

    def as_metrics(self) -> dict[str, float]:
        """This project's names, and MLflow's own for what MLflow's classifier evaluation has a name for."""
        return {
            **asdict(self.scores),
            **mlflow_metrics(confusion(self.probabilities, self.labels), self.scores.test_log_loss),
            **{f"{name}_accuracy": accuracy for name, accuracy in self.baselines.items()},
            "test_min_recall": float(self.recalls.min()),
        }


def assess(model_uri: str, trained: np.ndarray, dataset: Dataset, min_accuracy: float, min_recall: float) -> Assessment:
    """Load the logged model, test it, and check it.

    Args:
        trained: (n, n_classes) probabilities that the model in memory gives for the test split.
        dataset: With all its splits; the baselines are fitted on train + validation, as the model was.
        min_accuracy, min_recall: In [0, 1]; 0 switches the check of the recall off.
    """
    features, labels = (np.asarray(getattr(dataset.splits["test"], part)) for part in ("features", "labels"))
    model = mlflow.pyfunc.load_model(model_uri)
    probabilities = np.asarray(model.predict(features))
    scores = metrics(probabilities, labels)
    parts = [dataset.splits["train"], dataset.splits["validation"]]
    train_features = np.concatenate([part.features for part in parts])
    train_labels = np.concatenate([part.labels for part in parts])
    predicted = baseline_predictions(train_features, train_labels, features, dataset.feature_max)
    baselines = {name: float((classes == labels).mean()) for name, classes in predicted.items()}
    recall = recalls(probabilities, labels)
    checks = [
        check_accuracy(scores.test_accuracy, min_accuracy),
        check_predictions(trained, probabilities),
        check_interface(model, model_uri),
        *(check_baseline(name, scores.test_accuracy, accuracy) for name, accuracy in baselines.items()),
    ]
    if min_recall:
        checks.append(check_recall(recall, dataset.class_names, min_recall))
    return Assessment(probabilities, labels, scores, baselines, recall, tuple(checks))
