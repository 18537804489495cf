"""Charts of a classifier on the test split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from steps.report.charts.chart import ACCENT, MUTED, PAGE, TEXT, Chart, canvas
from steps.tasks.classification.calibration import calibration_bins, calibration_error


def calibration(targets: np.ndarray, probabilities: np.ndarray) -> Chart:
    """Accuracy against mean confidence of each bin; the area of a dot is the bin's share of all samples.

    Args:
        targets: (n,) class numbers.
        probabilities: (n, n_classes).
    """
    confidence, right, share = calibration_bins(targets, probabilities)
    figure, axes = canvas()
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1, label="as often right as sure")
    axes.plot(confidence, right, color=ACCENT, linewidth=1.5)
    sizes, label = 20 + 300 * share, "bin (area: share of samples)"
    axes.scatter(confidence, right, s=sizes, color=ACCENT, label=label, zorder=3, clip_on=False)
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.03), ylim=(0, 1.03), title="Calibration, test split")
    axes.grid(axis="y")
    axes.legend(loc="upper left", markerscale=0.4, fontsize=9)
    error = calibration_error(targets, probabilities)
    text = f"Accuracy against confidence in {len(share)} bins; the mean distance from the diagonal is {error:.4f}"
    return Chart(figure, text)


def confusion_matrix(counts: np.ndarray, class_names: Sequence[str]) -> Chart:
    """(n_classes, n_classes) counts: row = true class, column = predicted class."""
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    figure, axes = canvas(7, 6.4)
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)  # the root makes rare mistakes visible
    for (i, j), count in np.ndenumerate(counts):
        if count:
            colour = PAGE if shares[i, j] > 0.4 else TEXT
            axes.text(j, i, str(count), ha="center", va="center", fontsize=9, color=colour)
    ticks = range(len(class_names))
    axes.set(xticks=ticks, yticks=ticks, xticklabels=class_names, yticklabels=class_names)
    axes.set(xlabel="predicted", ylabel="true", title="Confusion matrix, test split (samples)")
    return Chart(figure, f"Confusion matrix of {len(class_names)} classes")


def mistakes(images: Sequence[np.ndarray], titles: Sequence[str], largest: float) -> Chart:
    """At most 25 images (height, width), 0 white and `largest` black, each with its title."""
    figure = Figure(figsize=(8, 9.4))
    grid = figure.subplots(5, 5, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, title in zip(grid.flat, images, titles, strict=False):
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=largest)
        axes.set_title(title, fontsize=9, loc="center")
    figure.suptitle(f"The {len(images)} most confident mistakes: true class as predicted class")
    return Chart(figure, f"The {len(images)} most confident mistakes")
