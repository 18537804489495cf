"""Figures of trials over numbers, epochs and time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.trial import FrozenTrial, TrialState

from steps.report.style import (
    BLUE,
    GREY,
    LIGHT,
    ORANGE,
    STATE_COLORS,
    STATE_WORDS,
    apply_limits,
    color_map,
    limits,
)
from steps.tasks.objectives import Objective

_HATCHES = {TrialState.COMPLETE: "", TrialState.PRUNED: "///", TrialState.FAIL: "xxx"}
_IDLE = 0.1  # share of the busy time above which a pause is drawn as a gap of one width


def history(trials: Sequence[FrozenTrial], objective: Objective, best: int | None) -> Figure:
    """Value of each trial in the order of their numbers, and the best so far."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    pruned = [t for t in trials if t.state == TrialState.PRUNED and t.intermediate_values]
    figure, axes = plt.subplots(figsize=(9, 5))
    values = [trial.values[0] for trial in complete]
    so_far = objective.sign * np.minimum.accumulate(objective.sign * np.asarray(values))
    axes.step([t.number for t in complete], so_far, where="post", color=BLUE, label="best so far")
    axes.scatter([t.number for t in complete], values, s=26, color=BLUE, label="complete", zorder=3)
    last = [list(trial.intermediate_values.values())[-1] for trial in pruned]
    if pruned:
        axes.scatter([t.number for t in pruned], last, s=30, marker="x", color=ORANGE, label="pruned (last epoch)")
    failed = [trial.number for trial in trials if trial.state == TrialState.FAIL]
    apply_limits(axes, [*values, *last], objective.sign)
    if failed:
        axes.scatter(
            failed, [0.02] * len(failed), marker="^", s=30, color=GREY, label="failed",
            transform=axes.get_xaxis_transform(), clip_on=False, zorder=3,
        )  # fmt: skip
    chosen = [trial for trial in complete if trial.number == best]
    axes.scatter(
        [t.number for t in chosen], [t.values[0] for t in chosen], marker="*", s=190, color="white", edgecolor="black",
        zorder=4, label=f"trial {best}, selected",
    )  # fmt: skip
    axes.set(xlabel="trial", ylabel=objective.label, title="History of the study")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    return figure


def intermediate_values(trials: Sequence[FrozenTrial], objective: Objective, best: int | None) -> Figure:
    """Learning curves: complete trials by the colour of their last value, pruned ones in grey to their end."""
    figure, axes = plt.subplots(figsize=(9, 5))
    curves = {t.number: (t.state, list(t.intermediate_values), list(t.intermediate_values.values())) for t in trials}
    curves = {number: curve for number, curve in curves.items() if curve[1]}
    last = [values[-1] for state, _, values in curves.values() if state == TrialState.COMPLETE]
    every = [value for _, _, values in curves.values() for value in values]
    norm = Normalize(*limits(last or every, objective.sign))
    colors = color_map(objective.sign)
    for number, (state, epochs, values) in curves.items():
        if state == TrialState.COMPLETE:
            width = 2.6 if number == best else 1.1
            axes.plot(epochs, values, color=colors(norm(values[-1])), linewidth=width, zorder=3)
        else:
            axes.plot(epochs, values, color=LIGHT, linewidth=1, zorder=2)
            axes.scatter(epochs[-1:], values[-1:], marker="x", color=GREY, s=24, zorder=2)
    if best in curves:
        _, epochs, values = curves[best]
        axes.scatter(epochs[-1:], values[-1:], marker="*", s=190, color="white", edgecolor="black", zorder=4)
    apply_limits(axes, every, objective.sign)
    if last:
        figure.colorbar(ScalarMappable(norm, colors), ax=axes, label=f"{objective.label}, last epoch")
    axes.set(xlabel="epoch", ylabel=objective.label, title="Learning curves (x: stopped early, star: selected)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid()
    return figure


def distribution(trials: Sequence[FrozenTrial], objective: Objective) -> Figure:
    """Empirical distribution function of the complete trials' values."""
    values = sorted(trial.values[0] for trial in trials if trial.state == TrialState.COMPLETE)
    figure, axes = plt.subplots(figsize=(8, 4.5))
    axes.ecdf(values, color=BLUE)
    axes.plot(values, [0.0] * len(values), "|", color=BLUE, markersize=12)
    apply_limits(axes, values, objective.sign, "x")
    axes.set(xlabel=objective.label, ylabel="share of complete trials up to here", ylim=(0, 1.02))
    axes.set_title("Distribution of the complete trials (EDF)")
    axes.grid()
    return figure


def timeline(trials: Sequence[FrozenTrial]) -> Figure:
    """When each trial ran; long pauses between two sessions are cut out."""
    ran = [t for t in trials if t.datetime_start and t.datetime_complete and t.state in STATE_WORDS]
    starts, ends, gaps = _without_pauses(
        [(t.datetime_start, t.datetime_complete) for t in ran if t.datetime_start and t.datetime_complete]
    )
    figure, axes = plt.subplots(figsize=(9, min(12, 1.4 + 0.19 * len(ran))))
    unit, word = (60, "minutes") if max(ends) > 300 else (1, "seconds")
    for state, label in STATE_WORDS.items():
        rows = [i for i, trial in enumerate(ran) if trial.state == state]
        if rows:
            axes.barh(
                [ran[i].number for i in rows], [(ends[i] - starts[i]) / unit for i in rows],
                left=[starts[i] / unit for i in rows], height=0.75, color=STATE_COLORS[state], edgecolor="white",
                hatch=_HATCHES[state], linewidth=0, label=label,
            )  # fmt: skip
    for gap in gaps:
        axes.axvline(gap / unit, color=GREY, linestyle=":")
    axes.set(xlabel=f"{word} of work" + (", pauses cut out at the dotted lines" if gaps else ""), ylabel="trial")
    axes.set_title("When each trial ran")
    axes.set_ylim(max(trial.number for trial in ran) + 0.7, min(trial.number for trial in ran) - 0.7)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="x")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    return figure


def _without_pauses(spans: Sequence[tuple[datetime, datetime]]) -> tuple[list[float], list[float], list[float]]:
    """Seconds of each start and end since the first one, and where a long pause was cut out."""
    origin = min(start for start, _ in spans)
    seconds = [((start - origin).total_seconds(), (end - origin).total_seconds()) for start, end in spans]
    pauses: list[tuple[float, float]] = []
    until = busy = 0.0
    for start, end in sorted(seconds):
        if start > until:
            pauses.append((until, start))
        busy += max(0.0, end - max(start, until))
        until = max(until, end)
    cut = [(start, end) for start, end in pauses if end - start > max(1.0, _IDLE * busy)]

    def moved(second: float) -> float:
        return second - sum(end - start for start, end in cut if end <= second)

    return [moved(start) for start, _ in seconds], [moved(end) for _, end in seconds], [moved(end) for _, end in cut]
