"""Figures of hyperparameters against the first objective."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from optuna.trial import FrozenTrial

from steps.report.importance import Importance
from steps.report.scales import Scale
from steps.report.style import BLUE, color_map, limits
from steps.tasks.objectives import Objective

MAX_AXES = 10  # more would be unreadable side by side
_MIN_SURFACE = 8  # trials under a contour
_RESOLUTION, _BANDWIDTH = 120, 0.12  # of the contour, in shares of its axes
_NEAR = 0.3  # where no trial is as near as that, the contour says nothing
_UNUSED = -0.12  # where a line passes a hyperparameter that its trial does not have


def param_importances(found: Sequence[Importance], n_trials: int) -> Figure:
    """Bars, the most important on top; hatched where only some trials have the hyperparameter."""
    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.32 * len(found)))
    for row, importance in enumerate(found):
        conditional = importance.n_trials < n_trials
        axes.barh(row, importance.share, color=BLUE, edgecolor="white", hatch="///" if conditional else "", linewidth=0)
        note = f"  {importance.share:.0%}" + (f", in {importance.n_trials} of {n_trials} trials" if conditional else "")
        axes.text(importance.share, row, note, va="center", fontsize=9)
    axes.set(yticks=range(len(found)), yticklabels=[importance.name for importance in found])
    axes.set(xlim=(0, 1.35 * found[0].share), xlabel="share of importance for reaching the best trials (PED-ANOVA)")
    axes.set_title("Importance of hyperparameters (hatched: conditional)")
    axes.invert_yaxis()
    return figure


def slices(trials: Sequence[FrozenTrial], names: Sequence[str], objective: Objective) -> Figure:
    """One panel per hyperparameter, a point per complete trial, later trials darker."""
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    size = (3.1 * columns + 1, 2.6 * rows + 0.6)
    figure, grid = plt.subplots(rows, columns, figsize=size, sharey=True, squeeze=False, layout="constrained")
    norm = Normalize(0, max(1, *(trial.number for trial in trials)))
    low, high = limits([trial.values[0] for trial in trials], objective.sign)
    for axes, name in zip(grid.flat, names, strict=False):
        scale = Scale.of(name, trials)
        for marker, outside in (("o", False), ("v" if objective.sign < 0 else "^", True)):
            own = [t for t in trials if name in t.params and (not low <= t.values[0] <= high) == outside]
            axes.scatter(
                [scale.number(t.params[name]) + scale.jitter(t.number) for t in own],
                np.clip([t.values[0] for t in own], low, high), c=[t.number for t in own], cmap="cividis_r", norm=norm,
                s=26, marker=marker, edgecolor="#555555", linewidth=0.4, clip_on=False, zorder=3,
            )  # fmt: skip
        _set_scale(axes, scale, "x")
        axes.set_xlabel(name)
        axes.grid()
    for axes in grid.flat[len(names) :]:
        axes.axis("off")
    grid[0, 0].set_ylim(low, high)
    figure.supylabel(objective.label)
    is_cut = any(not low <= trial.values[0] <= high for trial in trials)
    note = "; triangles: worse than the range" if is_cut else ""
    figure.suptitle(f"Each hyperparameter against the objective (complete trials{note})")
    figure.colorbar(ScalarMappable(norm, "cividis_r"), ax=grid, label="trial", fraction=0.03, pad=0.02)
    return figure


def contour(trials: Sequence[FrozenTrial], pair: tuple[str, str], objective: Objective) -> Figure:
    """Two hyperparameters, the value as colour; a smooth estimate lies under the points where both are numbers."""
    own = [trial for trial in trials if all(name in trial.params for name in pair)]
    across, up = (Scale.of(name, own) for name in pair)
    x = [across.number(trial.params[across.name]) + across.jitter(trial.number) for trial in own]
    y = [up.number(trial.params[up.name]) + up.jitter(trial.number + 7) for trial in own]
    values = np.array([trial.values[0] for trial in own])
    low, high = limits(values.tolist(), objective.sign)
    norm, colors = Normalize(low, high), color_map(objective.sign)
    figure, axes = plt.subplots(figsize=(7.4, 5.4))
    key = "dark: better"
    if (
        not (across.choices or up.choices)
        and len(own) >= _MIN_SURFACE
        and across.low < across.high
        and up.low < up.high
    ):
        points = np.array([[across.fraction(a), up.fraction(b)] for a, b in zip(x, y, strict=True)])
        surface = smooth(points, np.clip(values, low, high))
        axes.contourf(
            across.places(_RESOLUTION), up.places(_RESOLUTION), surface, levels=np.linspace(low, high, 9), cmap=colors,
            norm=norm, alpha=0.5,
        )  # fmt: skip
        key += "; white: no trial near"
    axes.scatter(x, y, c=values, cmap=colors, norm=norm, s=46, edgecolor="black", linewidth=0.6, zorder=3)
    _set_scale(axes, across, "x")
    _set_scale(axes, up, "y")
    axes.set(xlabel=across.name, ylabel=up.name, title=f"The two most important hyperparameters ({key})")
    figure.colorbar(ScalarMappable(norm, colors), ax=axes, label=objective.label)
    return figure


def smooth(points: np.ndarray, values: np.ndarray) -> np.ma.MaskedArray:
    """Kernel regression (Nadaraya, 1964) on a square grid over [0, 1]^2.

    Args:
        points: (n, 2).
        values: (n,).

    Returns:
        (resolution, resolution), the first axis up; masked where no point is near.
    """
    places = np.linspace(0, 1, _RESOLUTION)
    grid = np.stack(np.meshgrid(places, places), -1)  # (up, across, 2)
    squared = ((grid[:, :, None, :] - points) ** 2).sum(-1)  # (up, across, n)
    nearest = squared.min(-1, keepdims=True)
    weights = np.exp(-0.5 * (squared - nearest) / _BANDWIDTH**2)
    return np.ma.masked_where(nearest[..., 0] > _NEAR**2, (weights * values).sum(-1) / weights.sum(-1))


def parallel_coordinate(trials: Sequence[FrozenTrial], names: Sequence[str], objective: Objective) -> Figure:
    """A line per complete trial over the most important hyperparameters to its value; the best on top.

    A line that passes below an axis is of a trial without that hyperparameter.
    """
    scales = [Scale.of(name, trials) for name in names[:MAX_AXES]]
    low, high = limits([trial.values[0] for trial in trials], objective.sign)
    norm, colors = Normalize(low, high), color_map(objective.sign)
    figure, axes = plt.subplots(figsize=(1.75 * (len(scales) + 1) + 1, 5.6))
    for trial in sorted(trials, key=lambda t: -objective.sign * t.values[0]):
        heights = [
            scale.fraction(scale.number(trial.params[scale.name])) + 0.25 * scale.jitter(trial.number)
            if scale.name in trial.params
            else _UNUSED
            for scale in scales
        ]
        end = min(max((trial.values[0] - low) / (high - low), 0.0), 1.0)
        axes.plot([*heights, end], color=colors(norm(trial.values[0])), linewidth=1.3, alpha=0.85)
    labels = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.2}
    ends = [(value, f"{value:.4g}") for value in np.linspace(low, high, 5)]
    for i, ticks in enumerate([*(scale.ticks() for scale in scales), ends]):
        axes.axvline(i, ymin=0.13, color="black", linewidth=0.9, zorder=3)
        for number, text in ticks:
            height = scales[i].fraction(number) if i < len(scales) else (number - low) / (high - low)
            axes.text(i + 0.03, height, text, fontsize=8.5, va="center", bbox=labels, zorder=4)
    if any(scale.name not in trial.params for trial in trials for scale in scales):
        axes.text(-0.06, _UNUSED, "not used", fontsize=8.5, va="center", ha="right", color="#555555")
    axes.set(xlim=(-0.1, len(scales) + 0.35), ylim=(-0.2, 1.06), yticks=[], xticks=range(len(scales) + 1))
    axes.set_xticklabels([*(scale.name for scale in scales), objective.label.replace(" ", "\n", 1)], fontsize=9.5)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title("Complete trials across hyperparameters, the most important first (dark: better)", pad=16)
    return figure


def _set_scale(axes: Axes, scale: Scale, axis: str) -> None:
    if scale.log and scale.low < scale.high:
        axes.set(**{f"{axis}scale": "log"})
    numbers, labels = zip(*scale.ticks(4 if axis == "x" else 5), strict=True)
    axes.set(**{f"{axis}ticks": numbers, f"{axis}ticklabels": labels, f"{axis}lim": scale.ends()})
    getattr(axes, f"{axis}axis").minorticks_off()
