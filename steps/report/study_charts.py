"""Charts of a study; trials of one kind are one path, so that thousands of them are drawn at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from steps.report.findings import Row
from steps.report.style import limits
from steps.report.svg import (
    BOTTOM,
    RIGHT,
    TOP,
    WIDTH,
    Scale,
    axes,
    dot,
    label,
    polyline,
    scale,
    svg,
    x_scale,
    y_scale,
)
from steps.tasks.objectives import Objective

MAX_CURVES = 300  # more would be one stain


def intervals(rows: Sequence[tuple[str, float, float, float]]) -> Markup:
    """Validation accuracy with its interval, one line per (name, accuracy, low, high)."""
    left, height = 80, TOP + 34 * len(rows) + BOTTOM
    x = scale(min(row[2] for row in rows), max(row[3] for row in rows), left + 8, WIDTH - RIGHT - 8)
    marks = "".join(
        f'<path class="grid" d="M{x(tick):.1f} {TOP}V{height - BOTTOM}"/>'
        + label(x(tick), height - BOTTOM + 17, f"{100 * tick:g} %")
        for tick in MaxNLocator(4).tick_values(min(row[2] for row in rows), max(row[3] for row in rows))
        if left <= x(tick) <= WIDTH - RIGHT
    )
    for i, (name, middle, low, high) in enumerate(rows):
        y = TOP + 34 * i + 17
        marks += f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{name}</text>' + dot(x(middle), y, 4.5)
        marks += f'<path class="mark" stroke-width="2" d="M{x(low):.1f} {y}H{x(high):.1f}"/>'
    marks += label((left + WIDTH - RIGHT) / 2, height - 8, "validation accuracy with its 95 % interval")
    spoken = "; ".join(
        f"{name} {100 * middle:.2f} %, {100 * low:.2f} to {100 * high:.2f}" for name, middle, low, high in rows
    )
    return svg(marks, f"Validation accuracy: {spoken}", height)


def history(rows: Sequence[Row], objective: Objective, best: int) -> Markup:
    """Value of each trial over the trials' numbers, and the best so far.

    The range is that of complete trials; pruned ones outside of it stand at its edge, as they had less training.
    """
    complete = [(row.number, row.values[0]) for row in rows if row.state == "complete"]
    low, high = limits([value for _, value in complete], objective.sign)
    pruned = [(row.number, min(max(row.curve[-1], low), high)) for row in rows if row.state == "pruned" and row.curve]
    n = max(row.number for row in rows)
    x, y = x_scale(-0.02 * n, max(1.02 * n, 1)), y_scale(low, high)
    so_far = objective.sign * np.minimum.accumulate([objective.sign * value for _, value in complete])
    inside = [point for point in complete if low <= point[1] <= high]
    steps = f"M{x(complete[0][0]):.1f} {y(min(max(so_far[0], low), high)):.1f}" + "".join(
        f"H{x(number):.1f}V{y(min(max(value, low), high)):.1f}"
        for (number, _), value in zip(complete, so_far, strict=True)
    )
    marks = f'<path class="crosses" d="{_crosses(pruned, x, y)}"/>'
    marks += f'<path class="dots" stroke-width="{_size(len(rows))}" d="{_dots(inside, x, y)}"/>'
    marks += f'<path class="mark" d="{steps}"/>' + _ring([p for p in complete if p[0] == best], x, y)
    marks += _outside(len(complete) - len(inside))
    value = dict(complete)[best]
    text = (
        f"{objective.label} of {len(complete)} complete and {len(pruned)} pruned trials; "
        f"trial {best} is selected, with {objective.text(value)}"
    )
    return svg(_frame(x, n, "trial", y, (low, high), objective.label) + marks, text.capitalize())


def curves(rows: Sequence[Row], objective: Objective, best: int) -> Markup:
    """Learning curves; those of pruned trials end in a cross."""
    drawn = thinned([row for row in rows if row.curve], best)
    low, high = limits([value for row in drawn for value in row.curve], objective.sign)
    n = max(len(row.curve) for row in drawn)
    x, y = x_scale(1, max(n, 2)), y_scale(low, high)

    def path(row: Row) -> str:
        points = [(x(epoch), y(min(max(value, low), high))) for epoch, value in enumerate(row.curve, 1)]
        return polyline(points) if len(points) > 1 else f"M{points[0][0]:.1f} {points[0][1]:.1f}h0"

    complete = "".join(path(row) for row in drawn if row.state == "complete" and row.number != best)
    pruned = [row for row in drawn if row.state != "complete"]
    ends = [(len(row.curve), row.curve[-1]) for row in pruned if low <= row.curve[-1] <= high]
    marks = f'<path class="pruned faint" d="{"".join(map(path, pruned))}"/>'
    marks += f'<path class="mark faint" d="{complete}"/><path class="crosses" d="{_crosses(ends, x, y)}"/>'
    chosen = [row for row in drawn if row.number == best]
    marks += "".join(f'<path class="mark" stroke-width="3.5" d="{path(row)}"/>' for row in chosen)
    text = f"Learning curves of {len(drawn)} trials, {len(pruned)} of which stopped early; the bold one is trial {best}"
    return svg(_frame(x, n, "epoch", y, (low, high), objective.label) + marks, text)


def front(rows: Sequence[Row], ahead: Sequence[int], objectives: Sequence[Objective], other: int, best: int) -> Markup:
    """The first objective against another one; the trials of the Pareto front are bold.

    Args:
        ahead: Numbers of the trials on the front.
        other: Index of the other objective.
    """
    points = {row.number: (row.values[other], row.values[0]) for row in rows if row.state == "complete"}
    first, second = objectives[0], objectives[other]
    x_ends = limits([x for x, _ in points.values()], second.sign)
    y_ends = limits([y for _, y in points.values()], first.sign)
    x, y = x_scale(*x_ends), y_scale(*y_ends)
    seen = {
        number: (a, b)
        for number, (a, b) in points.items()
        if x_ends[0] <= a <= x_ends[1] and y_ends[0] <= b <= y_ends[1]
    }
    behind = [point for number, point in seen.items() if number not in ahead]
    on_front = [seen[number] for number in ahead if number in seen]
    marks = f'<path class="dots faint" stroke-width="{_size(len(points))}" d="{_dots(behind, x, y)}"/>'
    marks += f'<path class="dots" stroke-width="8" d="{_dots(on_front, x, y)}"/>'
    marks += _ring([seen[best]] if best in seen else [], x, y) + _outside(len(points) - len(seen))
    frame = axes(
        x, MaxNLocator(5).tick_values(*x_ends), second.label, y, MaxNLocator(5).tick_values(*y_ends), first.label
    )
    text = f"{first.label} against {second.label}: {len(ahead)} of {len(points)} trials are on the Pareto front"
    return svg(frame + marks, text.capitalize())


def thinned(rows: Sequence[Row], best: int) -> list[Row]:
    """At most `MAX_CURVES` of the trials, evenly chosen, and the selected one."""
    if len(rows) <= MAX_CURVES:
        return list(rows)
    kept = set(np.linspace(0, len(rows) - 1, MAX_CURVES - 1).round().astype(int).tolist())
    return [row for i, row in enumerate(rows) if i in kept or row.number == best]


def _frame(x: Scale, n: int, x_label: str, y: Scale, ends: tuple[float, float], y_label: str) -> str:
    ticks = MaxNLocator(6, integer=True).tick_values(0 if x_label == "trial" else 1, max(n, 2))
    return axes(x, ticks, x_label, y, MaxNLocator(5).tick_values(*ends), y_label)


def _dots(points: Sequence[tuple[float, float]], x: Scale, y: Scale) -> str:
    return "".join(f"M{x(a):.1f} {y(b):.1f}h0" for a, b in points)


def _crosses(points: Sequence[tuple[float, float]], x: Scale, y: Scale) -> str:
    return "".join(f"M{x(a) - 2.5:.1f} {y(b) - 2.5:.1f}l5 5m-5 0l5-5" for a, b in points)


def _ring(points: Sequence[tuple[float, float]], x: Scale, y: Scale) -> str:
    return "".join(f'<circle class="ring" cx="{x(a):.1f}" cy="{y(b):.1f}" r="7"/>' for a, b in points)


def _outside(n: int) -> str:
    if not n:
        return ""
    return f'<text x="420" y="248" text-anchor="end">{n} worse value{"s are" if n > 1 else " is"} outside</text>'


def _size(n: int) -> float:
    return 6 if n < 100 else 4 if n < 500 else 2.5
