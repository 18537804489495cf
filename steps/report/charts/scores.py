"""Charts of scores with their intervals, of the importance of columns, and of the loss of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.ticker import FuncFormatter, MaxNLocator

from steps.report.charts.chart import ACCENT, MUTED, TEXT, Chart, canvas
from steps.report.format import interval
from steps.tasks.importance import ColumnImportance
from steps.tasks.metric import Interval, Metric

_NAME = 24  # characters


def intervals(scores: Mapping[str, Interval], metric: Metric, split: str, log_error: int = 0) -> Chart:
    """A line per name: the value of a metric on a split, and its 95 % interval.

    Args:
        log_error: Number of rows in the split, or 0. If not 0, the axis is that of the error, 1 - value, and
            logarithmic, so that accuracies of 98 % and 99 % are distinguishable and chance level is still visible. A
            split without errors is drawn at half an error. Only for shares for which larger is better.
    """

    def place(value: float) -> float:
        return max(1 - value, 0.5 / log_error) if log_error else value

    names = list(scores)
    figure, axes = canvas(height=0.95 + 0.36 * len(names))
    for row, score in enumerate(scores.values()):
        if score.low is not None and score.high is not None:
            axes.plot([place(score.low), place(score.high)], [row, row], color=ACCENT, linewidth=2)
        axes.plot([place(score.value)], [row], "o", color=ACCENT, markersize=7)
    axes.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    axes.tick_params(axis="y", length=0)
    if log_error:
        axes.set_xscale("log")
        axes.set_xticks(_log_ticks(*axes.get_xlim()), minor=False)
        axes.minorticks_off()
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4))
    if metric.has_unit:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    if metric.is_share:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    what = f"{split} error, logarithmic," if log_error else f"{split} {metric.label}"
    axes.set_xlabel(f"{what} with its 95 % interval")
    axes.grid(axis="x")
    spoken = [
        f"{name} {metric.text(score.value)}" + (f", {interval(score, metric)}" if score.low is not None else "")
        for name, score in scores.items()
    ]
    return Chart(figure, f"{split.capitalize()} {metric.label}: {'; '.join(spoken)}")


def _log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten, at most about five; equal steps if the range has fewer than two of them."""
    ticks = [m * 10.0**e for e in range(-6, 1) for m in (1, 2, 5) if low <= m * 10.0**e <= high]
    if len(ticks) < 2:
        ticks = [tick for tick in MaxNLocator(4).tick_values(low, high) if low <= tick <= high]
    return ticks[:: -(-len(ticks) // 5)]


def column_importances(found: Sequence[ColumnImportance], metric: Metric) -> Chart:
    """Bars with the standard deviation over the shuffles, the most important column on top."""
    figure, axes = canvas(height=1.1 + 0.3 * len(found))
    means, rows = [column.mean for column in found], range(len(found))
    axes.barh(rows, means, color=ACCENT, height=0.65, linewidth=0)
    spreads = [column.spread for column in found]
    axes.errorbar(means, rows, xerr=spreads, fmt="none", ecolor=TEXT, elinewidth=1, capsize=2)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    names = [name if len(name) <= _NAME else f"{name[: _NAME - 1]}…" for name in (column.name for column in found)]
    axes.set(yticks=rows, yticklabels=names, ylim=(len(found) - 0.4, -0.6))
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    if metric.is_share:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}"))
    if metric.has_unit:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    unit = ", points" if metric.is_share else ""
    axes.set_xlabel(f"{metric.label} worse by{unit}")
    axes.grid(axis="x")
    signs = ("−" if mean < 0 else "" for mean in means)
    spoken = (f"{c.name} {sign}{metric.difference_text(c.mean)}" for c, sign in zip(found, signs, strict=True))
    return Chart(figure, f"Importance of columns: {', '.join(spoken)}")


def training_loss(losses: Mapping[str, Sequence[float]]) -> Chart:
    """Training loss of each epoch, from epoch 1: a line per network, the first one in front."""
    figure, axes = canvas()
    spoken: list[str] = []
    for name, values in losses.items():
        is_first = not spoken
        axes.plot(
            range(1, len(values) + 1), values, color=ACCENT if is_first else MUTED, marker="o", markersize=3,
            zorder=3 if is_first else 2,
        )  # fmt: skip
        spoken.append(f"{name} from {values[0]:.3f} to {values[-1]:.3f} over {len(values)} epochs")
    axes.set(xlabel="epoch", ylabel="training loss", ylim=(0, None), title="Final training (train + validation)")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(axis="y")
    return Chart(figure, f"Training loss falls: {'; '.join(spoken)}")
