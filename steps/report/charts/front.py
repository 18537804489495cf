"""The Pareto front of a study with several objectives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from steps.report.charts.chart import ACCENT, HEIGHT, MUTED, WIDTH, Chart, legend, set_limits, star
from steps.report.study.result import Row
from steps.tasks.objectives import Objective

_LOG_FROM = 20.0  # ratio of the largest to the smallest cost above which the axis is logarithmic
_MAX_NUMBERS = 15  # trials of the front labelled with their numbers


def front(rows: Sequence[Row], ahead: Sequence[int], objectives: Sequence[Objective], best: int) -> Chart:
    """The first objective against each other one.

    Args:
        ahead: Numbers of the trials on the Pareto front.
        objectives: At least two.
        best: Number of the selected trial.
    """
    complete = [row for row in rows if row.state == "complete"]
    first, others = objectives[0], objectives[1:]
    figure = Figure(figsize=(WIDTH, HEIGHT * len(others)))
    grid = figure.subplots(len(others), sharey=True, squeeze=False)
    for i, (axes, other) in enumerate(zip(grid.flat, others, strict=True), 1):
        points = {row.number: (row.values[i], row.values[0]) for row in complete}
        behind = [point for number, point in points.items() if number not in ahead]
        on_front = {number: points[number] for number in sorted(ahead, key=points.__getitem__)}
        axes.plot(*_columns(behind), "o", color=MUTED, markersize=4, markerfacecolor="none", label="other trials")
        if len(objectives) == 2:
            axes.plot(*_columns(on_front.values()), drawstyle="steps-post", color=ACCENT, linewidth=1)
        axes.plot(*_columns(on_front.values()), "o", color=ACCENT, markersize=5.5, label="Pareto front")
        for number, point in list(on_front.items())[:: -(-len(on_front) // _MAX_NUMBERS)]:
            axes.annotate(str(number), point, xytext=(4, 4), textcoords="offset points", fontsize=9)
        star(axes, *points[best], f"trial {best}, selected")
        costs = [x for x, _ in points.values()]
        if min(costs) > 0 and max(costs) > _LOG_FROM * min(costs):
            axes.set_xscale("log")
            axes.xaxis.set_minor_formatter(NullFormatter())  # its labels would overlap
        else:
            set_limits(axes, costs, other.sign, "x")
            axes.xaxis.set_major_locator(MaxNLocator(5))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"{cost:,.10g}"))
        set_limits(axes, [y for _, y in points.values()], first.sign)
        axes.set(xlabel=other.label, ylabel=first.label)
        axes.grid()
    grid[0, 0].set_title("Pareto front (numbers are trials)")
    legend(figure, 3)
    names = " and ".join(other.label for other in others)
    text = f"{first.label} against {names}: {len(ahead)} of {len(complete)} trials are on the Pareto front"
    return Chart(figure, text.capitalize())


def _columns(points: Iterable[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """The x and y coordinates of all points."""
    pairs = list(points)
    return [x for x, _ in pairs], [y for _, y in pairs]
