"""Charts: a Matplotlib figure each, saved as PNG, and as SVG that takes its colours from the surrounding page."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Colours of the light theme in page.css. Blue and orange are distinguishable for colour-blind readers and, as one is
# darker, in grey; marks also differ in shape.
TEXT, MUTED, LINE, PAGE, ACCENT, SECOND = "#1b1f24", "#57606a", "#d0d7de", "#ffffff", "#1f5fa8", "#c77700"
_VARIABLES = {TEXT: "text", MUTED: "muted", LINE: "line", PAGE: "page", ACCENT: "accent", SECOND: "second"}
WIDTH, HEIGHT = 4.9, 3.3  # inches: text of 10 points is legible on a phone 400 pixels wide
_OUTLIER = 3.0  # a range more than this many times that of the better 80 % is truncated

mpl.rcdefaults()  # the user's matplotlibrc may require LaTeX or white text
mpl.rcParams.update(
    {
        "figure.constrained_layout.use": True, "figure.facecolor": "none", "axes.facecolor": "none",
        "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True, "axes.titlelocation": "left",
        "axes.titlesize": 10, "text.color": TEXT, "axes.labelcolor": TEXT, "axes.edgecolor": MUTED,
        "xtick.color": MUTED, "ytick.color": MUTED, "xtick.labelcolor": TEXT, "ytick.labelcolor": TEXT,
        "grid.color": LINE, "legend.frameon": False, "svg.fonttype": "none", "svg.hashsalt": "steps",
        "text.parse_math": False,  # a name may contain dollar signs
    }
)  # fmt: skip


@dataclass(frozen=True)
class Chart:
    """A figure and its alternative text."""

    figure: Figure
    text: str

    def save(self, path: Path) -> None:
        """Write the figure as PNG, at least 900 pixels wide, in the colours of the light theme."""
        self._draw(path, dpi=max(110, 900 / self.figure.get_figwidth()), facecolor=PAGE)

    def svg(self) -> Markup:
        """The figure as an SVG element; palette colours become CSS variables, and the font is that of the page."""
        buffer = io.StringIO()
        self._draw(buffer, format="svg", metadata={"Date": None})
        svg = buffer.getvalue()
        svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|font-family: [^;\"]*;?", "", svg, flags=re.DOTALL)
        svg = re.sub(r"<[^>]*>", _rounded, svg)
        svg = re.sub(r' id="(\w+_\d+|matplotlib[^"]*)"', "", svg)  # IDs of groups, which are never referenced
        for colour, name in _VARIABLES.items():
            svg = svg.replace(colour, f"var(--{name})")
        found = re.search(r'<svg [^>]*(viewBox="[^"]*")[^>]*>(.*)', svg, re.DOTALL)
        assert found
        return Markup(f'<svg class="chart" role="img" aria-label="{escape(self.text)}" {found[1]}>{found[2]}')

    def _draw(self, file: Path | io.StringIO, **options: Any) -> None:
        self.figure.savefig(file, **options)
        self.figure.set_layout_engine("none")  # a second format keeps the layout; to find it takes longer than to draw


def _rounded(tag: re.Match[str]) -> str:
    """An element with coordinates rounded to a hundredth of a point."""
    return re.sub(r"(\.\d\d)\d+", r"\1", tag[0])


def canvas(width: float = WIDTH, height: float = HEIGHT) -> tuple[Figure, Axes]:
    """An empty figure of this size in inches, with one pair of axes."""
    figure = Figure(figsize=(width, height))
    return figure, figure.add_subplot()


def legend(figure: Figure, columns: int) -> None:
    """A legend for the marks of the first axes, below all axes."""
    marks = figure.axes[0].get_legend_handles_labels()
    figure.legend(*marks, loc="outside lower center", ncols=columns, fontsize=9, handletextpad=0.4, columnspacing=1.2)


def star(axes: Axes, x: float, y: float, label: str) -> None:
    """Mark the selected trial."""
    axes.plot([x], [y], "*", color=PAGE, markeredgecolor=TEXT, markersize=12, zorder=4, label=label)


def limits(values: Sequence[float], sign: int) -> tuple[float, float]:
    """Range of an axis: all values, or the better 80 % if the worst fifth would compress the rest.

    Args:
        values: At least one finite number.
        sign: -1 if larger values are better, else 1.
    """
    losses = sign * np.asarray(values, dtype=float)
    losses = losses[np.isfinite(losses)]
    best, worst, bad = losses.min(), losses.max(), float(np.quantile(losses, 0.8))
    if worst - best > _OUTLIER * (bad - best) > 0:
        worst = bad + 0.5 * (bad - best)
    margin = 0.05 * (worst - best) or 0.05 * abs(best) or 0.05
    low, high = sorted((sign * (best - margin), sign * (worst + margin)))
    return float(low), float(high)


def set_limits(axes: Axes, values: Sequence[float], sign: int, axis: str = "y") -> None:
    """Set the range of an axis by `limits`, and annotate the number of values outside."""
    low, high = limits(values, sign)
    axes.set(**{f"{axis}lim": (low, high)})
    n_outside = sum(not low <= value <= high for value in values)
    if n_outside:
        place: dict[str, Any] = (
            {"xy": (0.99, 0.015), "ha": "right", "va": "bottom"}
            if axis == "y"
            else {"xy": (0.01, 0.985), "ha": "left", "va": "top"}
        )
        axes.annotate(
            f"{n_outside} worse value{'s are' if n_outside > 1 else ' is'} outside", xycoords="axes fraction",
            fontsize=9, color=MUTED, bbox={"facecolor": PAGE, "edgecolor": "none", "pad": 1.5}, zorder=5, **place,
        )  # fmt: skip
