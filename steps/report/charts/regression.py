"""Charts of a regression on the test split, in units of the target."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from steps.report.charts.chart import ACCENT, SECOND, TEXT, Chart, canvas, legend

MAX_DOTS = 1500  # more would merge into a blob, and make the page slow
_BINS = 12  # bins with equally many rows
_WIDE = 30.0  # ratio of the largest to the smallest number above which an axis is logarithmic


def predicted_against_true(targets: np.ndarray, predicted: np.ndarray, name: str) -> Chart:
    """A dot per row, (n,) predictions over (n,) targets; predictions on the diagonal are exact.

    Args:
        name: Name of the target.
    """
    figure, axes = canvas(height=3.9)
    shown = some(len(targets))
    both = np.concatenate([targets, predicted])
    ends = [both.min(), both.max()]
    axes.plot(ends, ends, color=TEXT, linestyle="--", linewidth=1, label="right", zorder=3)
    axes.plot(targets[shown], predicted[shown], "o", color=ACCENT, markersize=3.5, markeredgewidth=0, alpha=0.5,
              label="sample")  # fmt: skip
    is_wide = ends[0] > 0 and ends[1] > _WIDE * ends[0]
    for axis in (axes.xaxis, axes.yaxis):
        _numbers(axes, axis, is_log=is_wide)
    axes.set(xlabel=f"true {name}", ylabel=f"predicted {name}", title="Predicted against true, test split")
    axes.set_aspect("equal", "datalim")
    axes.grid()
    legend(figure, 2)
    correlation = np.corrcoef(targets, predicted)[0, 1] if targets.std() and predicted.std() else 0.0
    return Chart(figure, f"Predicted {name} against true {name} of {len(shown)} samples, correlation {correlation:.3f}")


def residuals(predicted: np.ndarray, errors: np.ndarray, name: str) -> Chart:
    """A dot per row, (n,) errors over (n,) predictions, with the median and the middle 80 % along the range.

    Args:
        errors: Prediction minus target.
        name: Name of the target.
    """
    figure, axes = canvas(height=3.9)
    shown = some(len(errors))
    axes.plot(predicted[shown], errors[shown], "o", color=ACCENT, markersize=3, markeredgewidth=0, alpha=0.35)
    axes.axhline(0, color=TEXT, linestyle="--", linewidth=1)
    bins = np.array_split(np.argsort(predicted, kind="stable"), min(_BINS, max(1, len(errors) // 10)))
    centres = [float(np.median(predicted[rows])) for rows in bins]
    low, middle, high = np.array([np.quantile(errors[rows], (0.1, 0.5, 0.9)) for rows in bins]).T
    axes.fill_between(centres, low, high, color=SECOND, alpha=0.25, linewidth=0, label="middle 80 %", zorder=2.5)
    axes.plot(centres, middle, color=SECOND, linewidth=2, marker="s", markersize=3, label="median")
    extent = float(np.quantile(np.abs(errors), 0.99)) or 1.0
    axes.set_ylim(-1.3 * extent, 1.3 * extent)
    _numbers(axes, axes.xaxis, is_log=predicted.min() > 0 and predicted.max() > _WIDE * predicted.min())
    _numbers(axes, axes.yaxis, is_log=False)
    axes.set(xlabel=f"predicted {name}", ylabel="predicted − true", title="Errors over the range, test split")
    axes.grid(axis="y")
    legend(figure, 2)
    text = f"Errors over the range of predicted {name}; their median is {np.median(errors):.4g}"
    return Chart(figure, text)


def some(n: int) -> np.ndarray:
    """Sorted indices of the rows to draw: all, or a seeded random sample."""
    return np.sort(np.random.default_rng(0).permutation(n)[:MAX_DOTS])


def _numbers(axes: Axes, axis: object, *, is_log: bool) -> None:
    """A few ticks, with thousands separators."""
    if is_log:
        axes.set(**{"xscale" if axis is axes.xaxis else "yscale": "log"})
    target = axes.xaxis if axis is axes.xaxis else axes.yaxis
    if is_log:
        target.set_minor_formatter(NullFormatter())
    else:
        target.set_major_locator(MaxNLocator(5))
    target.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
