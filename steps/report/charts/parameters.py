"""Charts of hyperparameters against the first objective, of complete trials."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure

from steps.report.charts.chart import ACCENT, MUTED, PAGE, TEXT, Chart, canvas, limits
from steps.report.charts.scales import Scale
from steps.report.study.importance import Importance
from steps.report.study.result import Row
from steps.tasks.objectives import Objective

MAX_AXES = 10  # more would be unreadable side by side
_MIN_SURFACE = 8  # trials under a contour
_RESOLUTION, _BANDWIDTH = 120, 0.12  # width of the contour's kernel, as a share of its axes
_NEAR = 0.3  # the contour is blank farther than this from all trials
_UNUSED = -0.12  # height of a line at a hyperparameter that its trial does not have


def param_importances(found: Sequence[Importance], n_trials: int) -> Chart:
    """Bars, the most important on top; hatched if only some trials have the hyperparameter."""
    figure, axes = canvas(8, 1.2 + 0.32 * len(found))
    for row, importance in enumerate(found):
        conditional = importance.n_trials < n_trials
        hatch = "///" if conditional else ""
        axes.barh(row, importance.share, color=ACCENT, edgecolor=PAGE, hatch=hatch, linewidth=0)
        note = f"  {importance.share:.0%}" + (f", in {importance.n_trials} of {n_trials} trials" if conditional else "")
        axes.text(importance.share, row, note, va="center", fontsize=9)
    axes.set(yticks=range(len(found)), yticklabels=[importance.name for importance in found])
    axes.set(xlim=(0, 1.35 * found[0].share), xlabel="share of importance for reaching the best trials (PED-ANOVA)")
    axes.set_title("Importance of hyperparameters (hatched: conditional)")
    axes.invert_yaxis()
    return Chart(figure, f"Importance of {len(found)} hyperparameters, {found[0].name} first")


def slices(rows: Sequence[Row], names: Sequence[str], objective: Objective) -> Chart:
    """One panel per hyperparameter, a point per trial, later trials darker."""
    columns = min(4, len(names))
    n_rows = -(-len(names) // columns)
    figure = Figure(figsize=(3.1 * columns + 1, 2.6 * n_rows + 0.6))
    grid = figure.subplots(n_rows, columns, sharey=True, squeeze=False)
    norm = Normalize(0, max(1, *(row.number for row in rows)))
    low, high = limits([row.values[0] for row in rows], objective.sign)
    for axes, name in zip(grid.flat, names, strict=False):
        scale = Scale.of(name, rows)
        for marker, outside in (("o", False), ("v" if objective.sign < 0 else "^", True)):
            own = [row for row in rows if name in row.distributions and (not low <= row.values[0] <= high) == outside]
            axes.scatter(
                [scale.place(row) for row in own], np.clip([row.values[0] for row in own], low, high),
                c=[row.number for row in own], cmap="cividis_r", norm=norm, s=26, marker=marker, edgecolor=MUTED,
                linewidth=0.4, clip_on=False, zorder=3,
            )  # fmt: skip
        _set_scale(axes, scale, "x")
        axes.set_xlabel(name)
        axes.grid()
    for axes in grid.flat[len(names) :]:
        axes.axis("off")
    grid[0, 0].set_ylim(low, high)
    figure.supylabel(objective.label)
    is_cut = any(not low <= row.values[0] <= high for row in rows)
    note = "; triangles: worse than the range" if is_cut else ""
    figure.suptitle(f"Each hyperparameter against the objective (complete trials{note})")
    figure.colorbar(ScalarMappable(norm, "cividis_r"), ax=grid, label="trial", fraction=0.03, pad=0.02)
    return Chart(figure, f"{objective.label} against each of {len(names)} hyperparameters".capitalize())


def contour(rows: Sequence[Row], pair: tuple[str, str], objective: Objective) -> Chart:
    """Two hyperparameters, the value as colour; a smooth estimate lies under the points if both are numbers."""
    own = [row for row in rows if all(name in row.distributions for name in pair)]
    across, up = (Scale.of(name, own) for name in pair)
    x, y = [across.place(row) for row in own], [up.place(row, shift=7) for row in own]
    values = np.array([row.values[0] for row in own])
    low, high = limits(values.tolist(), objective.sign)
    norm, colors = Normalize(low, high), _color_map(objective)
    figure, axes = canvas(7.4, 5.4)
    key = "dark: better"
    numeric = not (across.choices or up.choices) and across.low < across.high and up.low < up.high
    if numeric and len(own) >= _MIN_SURFACE:
        points = np.array([[across.fraction(a), up.fraction(b)] for a, b in zip(x, y, strict=True)])
        surface = smooth(points, np.clip(values, low, high))
        axes.contourf(
            across.places(_RESOLUTION), up.places(_RESOLUTION), surface, levels=np.linspace(low, high, 9), cmap=colors,
            norm=norm, alpha=0.5,
        )  # fmt: skip
        key += "; white: no trial near"
    axes.scatter(x, y, c=values, cmap=colors, norm=norm, s=46, edgecolor=TEXT, linewidth=0.6, zorder=3)
    _set_scale(axes, across, "x")
    _set_scale(axes, up, "y")
    axes.set(xlabel=across.name, ylabel=up.name, title=f"The two most important hyperparameters ({key})")
    figure.colorbar(ScalarMappable(norm, colors), ax=axes, label=objective.label)
    return Chart(figure, f"{objective.label} over {across.name} and {up.name}".capitalize())


def smooth(points: np.ndarray, values: np.ndarray) -> np.ma.MaskedArray:
    """Kernel regression (Nadaraya, 1964) on a square grid over [0, 1]^2.

    Args:
        points: (n, 2).
        values: (n,).

    Returns:
        (resolution, resolution), the first axis up; masked far from all points.
    """
    places = np.linspace(0, 1, _RESOLUTION)
    grid = np.stack(np.meshgrid(places, places), -1)  # (up, across, 2)
    squared = ((grid[:, :, None, :] - points) ** 2).sum(-1)  # (up, across, n)
    nearest = squared.min(-1, keepdims=True)
    weights = np.exp(-0.5 * (squared - nearest) / _BANDWIDTH**2)
    return np.ma.masked_where(nearest[..., 0] > _NEAR**2, (weights * values).sum(-1) / weights.sum(-1))


def parallel_coordinate(rows: Sequence[Row], names: Sequence[str], objective: Objective) -> Chart:
    """A line per trial across the most important hyperparameters to its value; the best on top.

    Lines of trials without a hyperparameter pass below its axis.
    """
    scales = [Scale.of(name, rows) for name in names[:MAX_AXES]]
    low, high = limits([row.values[0] for row in rows], objective.sign)
    norm, colors = Normalize(low, high), _color_map(objective)
    figure, axes = canvas(1.75 * (len(scales) + 1) + 1, 5.6)
    for row in sorted(rows, key=lambda row: -objective.sign * row.values[0]):
        heights = [
            scale.fraction(scale.number(row.hyperparameters[scale.name])) + 0.25 * scale.jitter(row.number)
            if scale.name in row.distributions
            else _UNUSED
            for scale in scales
        ]
        end = min(max((row.values[0] - low) / (high - low), 0.0), 1.0)
        axes.plot([*heights, end], color=colors(norm(row.values[0])), linewidth=1.3, alpha=0.85)
    labels = {"facecolor": PAGE, "edgecolor": "none", "alpha": 0.85, "pad": 1.2}
    ends = [(value, f"{value:.4g}") for value in np.linspace(low, high, 5)]
    for i, ticks in enumerate([*(scale.ticks() for scale in scales), ends]):
        axes.axvline(i, ymin=0.13, color=TEXT, linewidth=0.9, zorder=3)
        for number, text in ticks:
            height = scales[i].fraction(number) if i < len(scales) else (number - low) / (high - low)
            axes.text(i + 0.03, height, text, fontsize=8.5, va="center", bbox=labels, zorder=4)
    if any(scale.name not in row.distributions for row in rows for scale in scales):
        axes.text(-0.06, _UNUSED, "not used", fontsize=8.5, va="center", ha="right", color=MUTED)
    axes.set(xlim=(-0.1, len(scales) + 0.35), ylim=(-0.2, 1.06), yticks=[], xticks=range(len(scales) + 1))
    axes.set_xticklabels([*(scale.name for scale in scales), objective.label.replace(" ", "\n", 1)], fontsize=9.5)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title("Complete trials across hyperparameters, the most important first (dark: better)", pad=16)
    return Chart(figure, f"Complete trials across {len(scales)} hyperparameters")


def _color_map(objective: Objective) -> Colormap:
    """Colours for values: dark is good."""
    return mpl.colormaps["viridis_r" if objective.sign < 0 else "viridis"]


def _set_scale(axes: Axes, scale: Scale, axis: str) -> None:
    if scale.log and scale.low < scale.high:
        axes.set(**{f"{axis}scale": "log"})
    numbers, labels = zip(*scale.ticks(4 if axis == "x" else 5), strict=True)
    axes.set(**{f"{axis}ticks": numbers, f"{axis}ticklabels": labels, f"{axis}lim": scale.ends()})
    getattr(axes, f"{axis}axis").minorticks_off()
