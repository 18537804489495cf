"""The Pareto front of a study with several objectives."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from optuna.trial import FrozenTrial

from steps.report.style import BLUE, GREY, apply_limits
from steps.tasks.objectives import Objective

_LOG_FROM = 20.0  # ratio of the largest to the smallest cost above which the axis is logarithmic


def pareto_front(
    trials: Sequence[FrozenTrial], front: set[int], objectives: Sequence[Objective], best: int | None
) -> Figure:
    """The first objective against each other one.

    Args:
        trials: The complete trials.
        front: Numbers of those on the front.
        objectives: At least two.
        best: Number of the selected trial.
    """
    first, others = objectives[0], list(enumerate(objectives))[1:]
    figure, grid = plt.subplots(1, len(others), figsize=(6.8 * len(others), 5), sharey=True, squeeze=False)
    for axes, (i, other) in zip(grid[0], others, strict=True):
        behind = [trial for trial in trials if trial.number not in front]
        ahead = sorted((t for t in trials if t.number in front), key=lambda t: (t.values[i], t.values[0]))
        axes.scatter(
            [t.values[i] for t in behind], [t.values[0] for t in behind], s=24, facecolor="none", edgecolor=GREY,
            label="other complete trials",
        )  # fmt: skip
        x, y = [t.values[i] for t in ahead], [t.values[0] for t in ahead]
        if len(objectives) == 2:
            axes.plot(x, y, drawstyle="steps-post", color=BLUE, linewidth=1)
        axes.scatter(x, y, s=36, color=BLUE, label="Pareto front", zorder=3)
        for trial in ahead:
            axes.annotate(
                str(trial.number), (trial.values[i], trial.values[0]), xytext=(4, 5), textcoords="offset points",
                fontsize=8,
            )  # fmt: skip
        chosen = [trial for trial in trials if trial.number == best]
        axes.scatter(
            [t.values[i] for t in chosen], [t.values[0] for t in chosen], marker="*", s=210, color="white",
            edgecolor="black", label=f"trial {best}, selected", zorder=4,
        )  # fmt: skip
        costs = [trial.values[i] for trial in trials]
        if min(costs) > 0 and max(costs) > _LOG_FROM * min(costs):
            axes.set_xscale("log")
            axes.xaxis.set_minor_formatter(NullFormatter())  # its labels would overlap
        else:
            apply_limits(axes, costs, other.sign, "x")
        axes.set(xlabel=other.label)
        axes.grid()
    apply_limits(grid[0, 0], [trial.values[0] for trial in trials], first.sign)
    grid[0, 0].set_ylabel(first.label)
    grid[0, 0].legend(loc="best")
    figure.suptitle("Pareto front (numbers are trials)")
    figure.tight_layout()
    return figure
