"""Charts of the partial dependence of a model's outputs on single columns."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.ticker import FuncFormatter, MaxNLocator

from steps.report.charts.chart import ACCENT, MUTED, SECOND, TEXT, Chart, canvas, legend
from steps.report.format import value_text
from steps.tasks.dependence import PartialDependence
from steps.tasks.metric import significant

_HEIGHT = 2.6  # inches
# Colour, line and marker of several outputs
_STYLES = ((ACCENT, "-", "o"), (SECOND, "--", "s"), (TEXT, ":", "^"), (MUTED, "-.", "D"), (ACCENT, ":", "x"))
_NAME, _OUTPUT = 36, 16  # characters
_LEVEL, _LONG_LEVEL = 14, 18  # characters, and those of few levels
_FEW = 6  # levels
_DAY = 86_400  # seconds
_FLAT = 32  # characters of all levels that fit side by side


def dependence_charts(dependences: Sequence[PartialDependence]) -> dict[str, Chart]:
    """A chart per column by the name of its figure, all with the same vertical axis."""
    curves = [curve for dependence in dependences for curve in dependence.curves]
    is_single = all(len(dependence.curves) == 1 for dependence in dependences)
    low = min(min(curve.low if is_single else curve.mean) for curve in curves)
    high = max(max(curve.high if is_single else curve.mean) for curve in curves)
    margin = 0.05 * (high - low) or 0.5
    ends = low - margin, high + margin
    return {f"partial_dependence_{i}": _chart(found, ends) for i, found in enumerate(dependences, start=1)}


def _chart(found: PartialDependence, ends: tuple[float, float]) -> Chart:
    figure, axes = canvas(height=_HEIGHT)
    places = tuple(_drawn(found.kind, place) for place in found.places) or tuple(map(float, range(len(found.levels))))
    is_single = len(found.curves) == 1
    for curve, (colour, style, marker) in zip(found.curves, _STYLES, strict=False):
        if is_single and found.levels:
            axes.vlines(places, curve.low, curve.high, color=ACCENT, alpha=0.35, linewidth=6)
        elif is_single:
            axes.fill_between(places, curve.low, curve.high, color=ACCENT, alpha=0.18, linewidth=0)
        line, marker = ("none", marker) if found.levels else (style, "")
        label = _short(curve.name, _OUTPUT)
        axes.plot(places, curve.mean, color=colour, linestyle=line, marker=marker, label=label)
    axes.set(ylim=ends, xlabel=_short(found.column, _NAME))
    axes.set_ylabel(_short(found.curves[0].name, _NAME) if is_single else "probability")
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.grid(axis="y")
    _set_places(axes, found)
    if not is_single:
        legend(figure, 3)
    first = found.curves[0]
    highest, lowest = (pick(range(len(places)), key=first.mean.__getitem__) for pick in (max, min))
    return Chart(
        figure,
        f"{first.name} over {found.column}: from {significant(first.mean[lowest])} at {_written(found, lowest)} "
        f"to {significant(first.mean[highest])} at {_written(found, highest)}",
    )


def _set_places(axes: Axes, found: PartialDependence) -> None:
    if found.levels:
        most = _LONG_LEVEL if len(found.levels) <= _FEW else _LEVEL
        names = [_short(level, most) for level in found.levels]
        axes.set_xticks(range(len(names)), names)
        if sum(map(len, names)) > _FLAT:
            axes.tick_params(axis="x", labelrotation=35)
            for label in axes.get_xticklabels():
                label.set_horizontalalignment("right")
        axes.set_xlim(-0.6, len(names) - 0.4)
        return
    if found.kind == "date":
        axes.xaxis.set_major_locator(AutoDateLocator(minticks=2, maxticks=4))
        axes.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d"))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: value_text(value, found.kind)))


def _written(found: PartialDependence, i: int) -> str:
    return found.levels[i] if found.levels else value_text(found.places[i], found.kind)


def _drawn(kind: str, place: float) -> float:
    """Matplotlib counts dates in days."""
    return place / _DAY if kind == "date" else place


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
