"""Charts of a classifier on the test split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from steps.report.charts.chart import ACCENT, MUTED, PAGE, SECOND, TEXT, Chart, canvas
from steps.tasks.classification.calibration import calibration_bins, calibration_error
from steps.tasks.classification.confusions import Matrix
from steps.tasks.classification.ranking import Ranking
from steps.tasks.classification.thresholds import Decisions

_POINTS = 600  # points of a curve


def calibration(targets: np.ndarray, probabilities: np.ndarray) -> Chart:
    """Accuracy against mean confidence of each bin; the area of a dot is the bin's share of all samples.

    Args:
        targets: (n,) class numbers.
        probabilities: (n, n_classes).
    """
    confidence, right, share = calibration_bins(targets, probabilities)
    figure, axes = canvas()
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1, label="perfect calibration")
    axes.plot(confidence, right, color=ACCENT, linewidth=1.5)
    sizes, label = 20 + 300 * share, "bin (area: share of samples)"
    axes.scatter(confidence, right, s=sizes, color=ACCENT, label=label, zorder=3, clip_on=False)
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.03), ylim=(0, 1.03), title="Calibration, test split")
    axes.grid(axis="y")
    axes.legend(loc="upper left", markerscale=0.4, fontsize=9)
    error = calibration_error(targets, probabilities)
    bins = "1 bin" if len(share) == 1 else f"{len(share)} bins"
    text = f"Accuracy against confidence in {bins}; the mean distance from the diagonal is {error:.4f}"
    return Chart(figure, text)


def roc_curve(ranking: Ranking, used: Decisions, name: str) -> Chart:
    """The true over the false positive rate at every threshold.

    Args:
        used: The decisions of the model.
        name: Name of the positive class.
    """
    false, true = ranking.roc_curve()
    figure, axes = canvas(height=3.9)
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1, label="chance")
    axes.plot(*_thinned(false, true), color=ACCENT, linewidth=2, label="model")
    _mark(axes, used.false_positive_rate, used.recall)
    axes.set(xlabel="false positive rate", ylabel="recall", xlim=(-0.01, 1.01), ylim=(0, 1.02))
    axes.set_title("ROC curve, test split")
    axes.grid()
    axes.legend(loc="lower right", fontsize=9)
    return Chart(figure, f"ROC curve of the class {name}; the area under it is {ranking.roc_auc:.4f}")


def precision_recall_curve(ranking: Ranking, used: Decisions, name: str) -> Chart:
    """Precision over recall at every threshold.

    Args:
        used: The decisions of the model.
        name: Name of the positive class.
    """
    recall, precision = ranking.precision_recall_curve()
    figure, axes = canvas(height=3.9)
    share = float(ranking.found[-1] / ranking.passed[-1])
    axes.axhline(share, color=MUTED, linestyle="--", linewidth=1, label=f"chance ({100 * share:.1f} % of the samples)")
    axes.plot(*_thinned(recall, precision), color=ACCENT, linewidth=2, label="model")
    _mark(axes, used.recall, used.precision)
    axes.set(xlabel="recall", ylabel="precision", xlim=(-0.01, 1.01), ylim=(0, 1.02))
    axes.set_title("Precision and recall, test split")
    axes.grid()
    axes.legend(loc="best", fontsize=9)
    text = f"Precision over recall of the class {name}; the average precision is {ranking.average_precision:.4f}"
    return Chart(figure, text)


def _mark(axes: Axes, x: float | None, y: float | None) -> None:
    """Mark the threshold of the model, if its rates exist."""
    if x is not None and y is not None:
        axes.plot(
            [x], [y], "D", color=SECOND, markeredgecolor=PAGE, markersize=8, zorder=4, clip_on=False,
            label="threshold of the model",
        )  # fmt: skip


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most `_POINTS` of the points of a curve, evenly along x and along their order."""
    order = np.linspace(0, len(x) - 1, _POINTS // 2).astype(int)
    along = np.searchsorted(x, np.linspace(x[0], x[-1], _POINTS // 2))
    kept = np.unique(np.concatenate([order, along]))
    return x[kept], y[kept]


def confusion_matrix(matrix: Matrix) -> Chart:
    """The counts of a confusion matrix."""
    shares, names = matrix.shares, matrix.names
    figure, axes = canvas(7, 6.4)
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)  # the root makes rare mistakes visible
    for (i, j), count in np.ndenumerate(matrix.counts):
        if count:
            colour = PAGE if shares[i, j] > 0.4 else TEXT
            axes.text(j, i, str(count), ha="center", va="center", fontsize=9, color=colour)
    ticks = range(len(names))
    axes.set(xticks=ticks, yticks=ticks, xticklabels=names, yticklabels=names)
    if matrix.is_tall:
        axes.tick_params("x", rotation=90)
    axes.set(xlabel="predicted", ylabel="true", title="Confusion matrix, test split (samples)")
    return Chart(figure, f"Confusion matrix of {len(names)} classes")


def mistakes(images: Sequence[np.ndarray], titles: Sequence[str], largest: float) -> Chart:
    """At most 25 images, (height, width) with 0 white and `largest` black or (height, width, 3), with their titles."""
    figure = Figure(figsize=(8, 9.4))
    grid = figure.subplots(5, 5, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, title in zip(grid.flat, images, titles, strict=False):
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=largest)
        axes.set_title(title, fontsize=9, loc="center")
    figure.suptitle(f"The {len(images)} most confident mistakes: true class as predicted class")
    return Chart(figure, f"The {len(images)} most confident mistakes")
