"""Chart of the target: rows of each class, or the distribution of a number."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from steps.datasets.tabular.target import Target
from steps.report.charts.chart import ACCENT, Chart, canvas

_SHOWN = 30  # classes
_BINS = 40


def target_chart(target: Target, values: np.ndarray) -> Chart:
    """The target in all rows that a model may learn from.

    Args:
        values: (n,) class numbers, or numbers in the target's own units.
    """
    return _classes(target, values) if target.class_names else _numbers(target, values)


def _classes(target: Target, values: np.ndarray) -> Chart:
    counts = np.bincount(values, minlength=len(target.class_names))
    order = np.argsort(-counts, kind="stable")[:_SHOWN]
    names = [target.class_names[i] for i in order]
    figure, axes = canvas(height=0.8 + 0.24 * len(names))
    axes.barh(range(len(names)), counts[order], color=ACCENT, height=0.7)
    axes.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.4, -0.6), xlabel="rows")
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(axis="x")
    spoken = "; ".join(f"{name} {count:,}" for name, count in zip(names, counts[order].tolist(), strict=True))
    return Chart(figure, f"Rows of each class: {spoken}")


def _numbers(target: Target, values: np.ndarray) -> Chart:
    figure, axes = canvas()
    axes.hist(values, bins=_BINS, color=ACCENT)
    axes.set(xlabel=target.name, ylabel="rows")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.grid(axis="y")
    low, median, high = np.quantile(values, (0, 0.5, 1)).tolist()
    return Chart(figure, f"Distribution of {target.name}: from {low:,.6g} to {high:,.6g}, median {median:,.6g}")
