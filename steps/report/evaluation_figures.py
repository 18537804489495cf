"""Figures of an evaluation on the test split."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from matplotlib import pyplot as plt

from steps.datasets import Dataset
from steps.tasks.classification.metrics import calibration_bins, confusion, worst_mistakes

_MISTAKES = 25
_BLUE, _GREY = "#1f5fa8", "#888888"


def save_evaluation_figures(dataset: Dataset, probabilities: np.ndarray, losses: list[float], folder: Path) -> None:
    """Write confusion matrix, calibration, training loss and, for images, the worst mistakes, as PNG.

    Args:
        dataset: With its test split.
        probabilities: (n, n_classes) on the test split.
        losses: Training loss of each epoch.
    """
    labels = np.asarray(dataset.splits["test"].targets)
    _confusion(confusion(labels, probabilities), dataset.class_names, folder / "confusion_matrix.png")
    _calibration(probabilities, labels, folder / "calibration.png")
    _learning_curve(losses, folder / "training_loss.png")
    if dataset.image_shape:
        _mistakes(dataset, probabilities, labels, folder / "worst_mistakes.png")


def _confusion(counts: np.ndarray, class_names: tuple[str, ...], path: Path) -> None:
    figure, axes = plt.subplots(figsize=(7, 6.4))
    shown = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(np.sqrt(shown), cmap="Blues", vmin=0, vmax=1)  # the root makes rare mistakes visible
    for (i, j), count in np.ndenumerate(counts):
        if count:
            axes.text(
                j, i, count, ha="center", va="center", fontsize=9, color="white" if shown[i, j] > 0.4 else "black"
            )
    ticks = range(len(class_names))
    axes.set(xticks=ticks, yticks=ticks, xticklabels=class_names, yticklabels=class_names)
    axes.set(xlabel="predicted", ylabel="true", title="Confusion matrix, test split (samples)")
    _save(figure, path)


def _calibration(probabilities: np.ndarray, labels: np.ndarray, path: Path) -> None:
    confidence, accuracy, share = calibration_bins(labels, probabilities)
    figure, axes = plt.subplots(figsize=(6, 5.4))
    axes.plot([0, 1], [0, 1], color=_GREY, linestyle="--", label="perfectly calibrated")
    axes.plot(confidence, accuracy, color=_BLUE, zorder=1)
    axes.scatter(confidence, accuracy, s=20 + 300 * share, color=_BLUE, label="bin (area: share of samples)")
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.03), ylim=(0, 1.03), title="Calibration, test split")
    axes.legend(loc="upper left", markerscale=0.4)
    _save(figure, path)


def _learning_curve(losses: list[float], path: Path) -> None:
    figure, axes = plt.subplots(figsize=(7, 4.5))
    axes.plot(range(1, len(losses) + 1), losses, color=_BLUE, marker="o", markersize=3)
    axes.set(xlabel="epoch", ylabel="training loss", title="Final training (train + validation)")
    axes.grid(color="#dddddd")
    _save(figure, path)


def _mistakes(dataset: Dataset, probabilities: np.ndarray, labels: np.ndarray, path: Path) -> None:
    worst = worst_mistakes(labels, probabilities, _MISTAKES)
    figure, grid = plt.subplots(5, 5, figsize=(8, 9.4), squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, i in zip(grid.flat, worst, strict=False):
        image = np.asarray(dataset.splits["test"].features[i]).reshape(dataset.image_shape)  # (n_features,) -> (h, w)
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=dataset.feature_max)
        true, predicted = (dataset.class_names[k] for k in (labels[i], probabilities[i].argmax()))
        axes.set_title(f"#{i}: {true} as {predicted}\n{probabilities[i].max():.0%} sure", fontsize=9)
    figure.suptitle(f"The {len(worst)} most confident mistakes: true class as predicted class")
    _save(figure, path)


def _save(figure: plt.Figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
