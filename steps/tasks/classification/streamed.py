"""MLflow's own metrics of a classifier, of rows that come in chunks, in constant memory."""

from __future__ import annotations

import numpy as np

from steps.datasets.tabular.predictions import decided
from steps.datasets.tabular.target import Target
from steps.tasks import intervals
from steps.tasks.classification.costs import COST, mean_cost
from steps.tasks.classification.counts import confusion_of, f1, precisions, right
from steps.tasks.classification.metrics import ACCURACY, log_losses
from steps.tasks.classification.ranking import Ranking, roc_auc_interval
from steps.tasks.metric import Interval, Metric

_BINS = 2**18  # of the log-odds of two classes; the areas differ from the exact ones by less than 0.0001
_FARTHEST = 40.0  # log-odds at the ends


class StreamedMetrics:
    """The metrics of MLflow's classifier evaluation, by its names: weighted by class, of two those of the positive.

    If errors have costs, the mean of those is one of them.

    Args:
        primary: What the summary says.
    """

    def __init__(self, target: Target, primary: Metric) -> None:
        self._target, n_classes, positive = target, len(target.class_names), target.positive
        self._counts = np.zeros((n_classes, n_classes), np.int64)
        self._loss = 0.0
        self._positive = positive
        self._primary = primary
        self._scores = np.zeros((2, 0 if positive is None else _BINS), np.int64)  # negative rows, positive rows

    def add(self, targets: np.ndarray, outputs: np.ndarray) -> None:
        """Count (n,) targets and (n, n_classes) probabilities."""
        self._counts += confusion_of(targets, decided(outputs, self._target), len(self._counts))
        self._loss += float(log_losses(targets, outputs).sum())
        if self._positive is not None:
            exact = outputs[:, self._positive].astype(np.float64)
            with np.errstate(divide="ignore"):
                odds = np.clip(np.log(exact) - np.log1p(-exact), -_FARTHEST, _FARTHEST)
            bins = np.minimum(((odds / _FARTHEST + 1) / 2 * _BINS).astype(int), _BINS - 1)
            for is_positive in (False, True):
                kept = bins[(targets == self._positive) == is_positive]
                self._scores[int(is_positive)] += np.bincount(kept, minlength=_BINS)

    def result(self) -> dict[str, float]:
        """The metrics of all chunks so far; empty before the first row."""
        n = int(self._counts.sum())
        if not n:
            return {}
        common = {"example_count": float(n), "log_loss": self._loss / n}
        return common | (weighted(self._counts) if self._positive is None else self._of_two(self._positive))

    def _of_two(self, positive: int) -> dict[str, float]:
        negative = 1 - positive
        ranking = Ranking.of_counts(self._scores[1], self._scores[0])
        areas = {"roc_auc": ranking.roc_auc, "precision_recall_auc": ranking.average_precision}
        decision = self._target.decision
        return {
            "true_negatives": float(self._counts[negative, negative]),
            "false_positives": float(self._counts[negative, positive]),
            "false_negatives": float(self._counts[positive, negative]),
            "true_positives": float(self._counts[positive, positive]),
            "accuracy_score": float(self._counts.trace() / self._counts.sum()),
            "recall_score": float(self._counts[positive, positive] / max(1, self._counts[positive].sum())),
            "precision_score": float(precisions(self._counts)[positive]),
            "f1_score": float(f1(self._counts)[positive]),
            **{name: area for name, area in areas.items() if not np.isnan(area)},  # if both classes occur
            **({COST: float(mean_cost(self._counts, positive, decision.costs))} if decision else {}),
        }

    def primary(self) -> Interval | None:
        """Accuracy, or the area under the ROC curve, of all chunks so far; None if there is but one class."""
        n, n_right = int(self._counts.sum()), int(self._counts.trace())
        if not n:
            return None
        if self._primary.name == ACCURACY.name:
            return Interval(n_right / n, *(intervals.of_proportion(n_right, n) or ()))
        n_negative, n_positive = self._scores.sum(1).tolist()
        area = Ranking.of_counts(self._scores[1], self._scores[0]).roc_auc
        ends = roc_auc_interval(area, n_positive, n_negative)
        return None if ends is None else Interval(area, *ends)

    def summary(self) -> str:
        found = self.result()
        shown = self._primary if self._primary.name in found else ACCURACY
        return f"{shown.label} {shown.number(found.get(shown.name, found['accuracy_score']))}"


def weighted(counts: np.ndarray) -> dict[str, float]:
    """Accuracy, and the means over classes weighted by their rows, of (n_classes, n_classes) counts."""
    true = counts.sum(1)
    recall = right(counts) / np.maximum(true, 1)
    return {
        "accuracy_score": float(counts.trace() / counts.sum()),
        "recall_score": float(np.average(recall, weights=true)),
        "precision_score": float(np.average(precisions(counts), weights=true)),
        "f1_score": float(np.average(f1(counts), weights=true)),
    }
