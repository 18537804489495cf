"""The section of a classifier: thresholds, calibration, confusions, scores by class and mistakes."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from steps.datasets import Dataset
from steps.datasets.tabular.predictions import decided, set_members
from steps.report.charts.classification import (
    calibration,
    confusion_matrix,
    mistakes,
    precision_recall_curve,
    roc_curve,
)
from steps.report.evaluation.section import Section, cells
from steps.tasks.classification.conformal import SetQuality
from steps.tasks.classification.confusions import largest_confusions, matrix_of
from steps.tasks.classification.counts import confusion_of
from steps.tasks.classification.metrics import worst_mistakes
from steps.tasks.classification.ranking import Ranking
from steps.tasks.classification.thresholds import Decisions, alternatives

_MISTAKES = 25
_LEVELS = (0.8, 0.9, 0.95, 0.99)  # of the prediction sets that are shown


@dataclass(frozen=True)
class Mistake:
    """A row of the test split with another class than the predicted one.

    Attributes:
        image: (height, width) or (height, width, 3); None if the row is none.
        largest: Value of a pixel that is black, or of a colour at its brightest.
    """

    row: int
    true: str
    predicted: str
    confidence: float
    image: np.ndarray | None
    largest: float
    cells: Mapping[str, str]

    @property
    def src(self) -> str:
        """The image as the `src` of an `img`, a grey one with 0 shown white and `largest` black; else empty."""
        if self.image is None:
            return ""
        pixels = np.clip(self.image / self.largest * 255, 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels if pixels.ndim == 3 else np.uint8(255) - pixels).save(buffer, "PNG", optimize=True)
        return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def classification_section(dataset: Dataset, probabilities: np.ndarray, shown: Sequence[str] = ()) -> Section:
    """The section of (n, n_classes) probabilities for the test split of a data set.

    Args:
        shown: Columns whose cells are shown of the most confident mistakes.
    """
    targets, names = np.asarray(dataset.splits["test"].targets), dataset.target.class_names
    predicted, positive = decided(probabilities, dataset.target), dataset.target.positive
    counts = confusion_of(targets, predicted, len(names))
    matrix, worst = matrix_of(counts, names), _worst(dataset, targets, probabilities, predicted, shown)
    charts = {"confusion_matrix": confusion_matrix(matrix), "calibration": calibration(targets, probabilities)}
    thresholds: list[Decisions] = []
    if positive is not None:
        is_positive, scores = targets == positive, probabilities[:, positive]
        decision = dataset.target.decision
        used = Decisions.of(decision.threshold if decision else 0.5, is_positive, predicted == positive)
        others = {
            other.threshold: other
            for other in (Decisions.at(0.5, is_positive, scores), *alternatives(is_positive, scores))
        }
        thresholds = [found for _, found in sorted({**others, used.threshold: used}.items())]
        if 0 < is_positive.sum() < len(targets):
            ranking = Ranking.of(is_positive, scores)
            charts["roc_curve"] = roc_curve(ranking, used, names[positive])
            charts["precision_recall_curve"] = precision_recall_curve(ranking, used, names[positive])
    images = [mistake.image for mistake in worst if mistake.image is not None]
    if dataset.image_shape:
        titles = [f"#{m.row}: {m.true} as {m.predicted}\n{100 * m.confidence:.0f} % sure" for m in worst]
        charts["worst_mistakes"] = mistakes(images, titles, dataset.feature_max)
    values = {
        "matrix": matrix,
        "colours": np.sqrt(matrix.shares).round(3).tolist(),
        "confusions": largest_confusions(counts, names) if len(names) > 2 else [],
        "n_classes": len(names),
        "by_class": _by_class(counts, names, worst_first=matrix.n_joined > 0),
        "mistakes": worst,
        "shown": shown,
        "positive": names[positive] if positive is not None else "",
        "thresholds": thresholds,
        "n_positive": None if positive is None else int((predicted == positive).sum()),
        "used_threshold": used.threshold if positive is not None else None,
        "decision": dataset.target.decision,
        "sets": _sets(dataset, targets, probabilities),
        "n_mistakes": len(targets) - int(counts.trace()),
    }
    return Section("evaluation/classification.html.jinja", values, charts, tuple(_weaknesses(counts, names)))


def _weaknesses(counts: np.ndarray, names: Sequence[str]) -> Iterator[str]:
    """The class with the lowest recall, and the most frequent mistake."""
    support = counts.sum(1)
    recall = counts.diagonal() / np.where(support, support, np.nan)
    worst = int(np.nanargmin(recall))
    if recall[worst] < 1:
        share = f"{100 * recall[worst]:.1f} % of its {support[worst]:,} test rows"
        yield f"Class {names[worst]} has the lowest recall: {share}"
        wrong = counts - np.diag(counts.diagonal())
        true, predicted = divmod(int(wrong.argmax()), len(names))
        n = int(wrong[true, predicted])
        yield f"The most frequent mistake is {names[predicted]} for {names[true]}: {n:,} of {support[true]:,} test rows"


def _by_class(counts: np.ndarray, names: Sequence[str], *, worst_first: bool) -> list[tuple[Any, ...]]:
    """Name, precision, recall, F1 and number of rows of each class; 0 if there is nothing to divide by."""
    right, support, predicted = counts.diagonal(), counts.sum(1), counts.sum(0)
    precision, recall = right / np.maximum(predicted, 1), right / np.maximum(support, 1)
    f1 = 2 * right / np.maximum(support + predicted, 1)
    rows = list(zip(names, precision.tolist(), recall.tolist(), f1.tolist(), support.tolist(), strict=True))
    return sorted(rows, key=lambda row: row[3]) if worst_first else rows


def _sets(dataset: Dataset, targets: np.ndarray, probabilities: np.ndarray) -> list[SetQuality]:
    """The prediction sets of some levels on the test rows; empty if the model cannot state any."""
    levels = [level for level in _LEVELS if dataset.target.sets and level in dataset.target.sets.levels]
    return [
        SetQuality.of(level, targets, set_members(probabilities, dataset.target, level)) for level in levels
    ]  # fmt: skip


def _worst(
    dataset: Dataset, targets: np.ndarray, probabilities: np.ndarray, predicted: np.ndarray, shown: Sequence[str]
) -> list[Mistake]:
    """The most confident mistakes."""
    names, features = dataset.target.class_names, dataset.splits["test"].features
    worst = worst_mistakes(targets, probabilities, predicted, _MISTAKES)
    return [
        Mistake(
            int(i), names[targets[i]], names[predicted[i]], float(probabilities[i, predicted[i]]),
            # (n_features,) -> (height, width)
            np.asarray(features[i]).reshape(dataset.image_shape) if dataset.image_shape else None,
            dataset.feature_max, row,
        )
        for i, row in zip(worst, cells(dataset, worst.tolist(), shown), strict=True)
    ]  # fmt: skip
