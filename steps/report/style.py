"""How all study figures look: white, few lines, and told apart without colour too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from optuna.trial import TrialState

STYLE: dict[Any, Any] = {
    "figure.dpi": 110, "savefig.bbox": "tight", "axes.facecolor": "white", "axes.spines.top": False,
    "axes.spines.right": False, "axes.axisbelow": True, "grid.color": "#dddddd", "font.size": 10,
}  # fmt: skip
# Blue and orange stay apart for colour-blind eyes; dark and light stay apart in grey.
BLUE, ORANGE, GREY, LIGHT = "#1f4e8c", "#e69f00", "#888888", "#c8c8c8"
STATE_COLORS = {TrialState.COMPLETE: BLUE, TrialState.PRUNED: ORANGE, TrialState.FAIL: GREY}
STATE_WORDS = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
_OUTLIER = 3.0  # a range so many times that of the better 80 % is cut


def color_map(sign: int) -> Any:
    """Colours for values: dark is good. `sign` is -1 where larger values are better, else 1."""
    return plt.get_cmap("viridis_r" if sign < 0 else "viridis")


def limits(values: Sequence[float], sign: int) -> tuple[float, float]:
    """Range of an axis: all values, unless a bad fifth would squash the rest; then that of the better 80 %.

    Args:
        values: At least one finite number.
        sign: -1 where larger values are better, else 1.
    """
    losses = sign * np.asarray(values, dtype=float)
    losses = losses[np.isfinite(losses)]
    best, worst, bad = losses.min(), losses.max(), float(np.quantile(losses, 0.8))
    if worst - best > _OUTLIER * (bad - best) > 0:
        worst = bad + 0.5 * (bad - best)
    margin = 0.05 * (worst - best) or 0.05 * abs(best) or 0.05
    low, high = sorted((sign * (best - margin), sign * (worst + margin)))
    return float(low), float(high)


def apply_limits(axes: Axes, values: Sequence[float], sign: int, axis: str = "y") -> None:
    """Set the range of an axis by `limits`; says how many values are outside."""
    low, high = limits(values, sign)
    axes.set(**{f"{axis}lim": (low, high)})
    n_outside = sum(not low <= value <= high for value in values)
    if n_outside:
        axes.annotate(
            f"{n_outside} worse value{'s are' if n_outside > 1 else ' is'} outside",
            (0.99, 0.015) if axis == "y" else (0.01, 0.985), xycoords="axes fraction", fontsize=8, color="#555555",
            ha="right" if axis == "y" else "left", va="bottom" if axis == "y" else "top",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5}, zorder=5,
        )  # fmt: skip
