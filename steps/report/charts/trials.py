"""Charts of trials over numbers, epochs and time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from steps.report.charts.chart import ACCENT, MUTED, PAGE, SECOND, Chart, canvas, legend, limits, set_limits, star
from steps.report.study.result import Row
from steps.tasks.objectives import Objective

MAX_CURVES = 300  # more would merge into a blob
_STATES = {"complete": (ACCENT, ""), "pruned": (SECOND, "///"), "failed": (MUTED, "xxx")}
_IDLE = 0.1  # share of the busy time above which a pause is drawn as a gap of one width


def history(rows: Sequence[Row], objective: Objective, best: int) -> Chart:
    """Value of each trial over the trials' numbers, and the best so far.

    The range is that of complete trials; pruned ones outside of it are drawn at its edge, as they were trained less.

    Args:
        rows: At least one of them complete.
        best: Number of the selected trial.
    """
    complete = [row for row in rows if row.state == "complete"]
    pruned = [row for row in rows if row.state == "pruned" and row.curve]
    failed = [row.number for row in rows if row.state == "failed"]
    numbers, values = [row.number for row in complete], [row.values[0] for row in complete]
    size = 5.0 if len(rows) < 100 else 3.5 if len(rows) < 500 else 2.0
    figure, axes = canvas(height=3.6)
    so_far = objective.sign * np.minimum.accumulate(objective.sign * np.asarray(values))
    axes.step(numbers, so_far, where="post", color=ACCENT, linewidth=1, label="best so far")
    axes.plot(numbers, values, "o", color=ACCENT, markersize=size, markeredgewidth=0, label="complete")
    last = np.clip([row.curve[-1] for row in pruned], *limits(values, objective.sign))
    if pruned:
        axes.plot(
            [row.number for row in pruned], last, "x", color=SECOND, markersize=size, label="pruned", clip_on=False
        )
    if failed:
        bottom = axes.get_xaxis_transform()
        axes.plot(failed, [0.05] * len(failed), "^", color=MUTED, markersize=size, label="failed", transform=bottom)
    value = dict(zip(numbers, values, strict=True))[best]
    star(axes, best, value, f"trial {best}, selected")
    set_limits(axes, values, objective.sign)
    axes.set(xlabel="trial", ylabel=objective.label, title="History of the study")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(axis="y")
    legend(figure, 3)
    text = (
        f"{objective.label.capitalize()} of {len(complete)} complete and {len(pruned)} pruned trials; "
        f"trial {best} is selected, with {objective.text(value)}"
    )
    return Chart(figure, text)


def curves(rows: Sequence[Row], objective: Objective, best: int | None) -> Chart:
    """Learning curves; those of pruned and failed trials end with a cross.

    Args:
        rows: At least one of them with a curve.
        best: Number of the selected trial; None if there is none.
    """
    drawn = thinned([row for row in rows if row.curve], best)
    stopped = [row for row in drawn if row.state != "complete"]
    chosen = [row for row in drawn if row.number == best]
    figure, axes = canvas(height=3.6)
    complete = [row for row in drawn if row.state == "complete" and row.number != best]
    for kept, colour, label in ((stopped, SECOND, "pruned or failed"), (complete, ACCENT, "complete")):
        if kept:  # one line with gaps: hundreds of trials are drawn at once
            epochs = np.concatenate([[*range(1, len(row.curve) + 1), np.nan] for row in kept])
            values = np.concatenate([[*row.curve, np.nan] for row in kept])
            axes.plot(epochs, values, color=colour, alpha=0.5, linewidth=1, label=label)
    axes.plot([len(row.curve) for row in stopped], [row.curve[-1] for row in stopped], "x", color=SECOND, markersize=4)
    for row in chosen:
        axes.plot(range(1, len(row.curve) + 1), row.curve, color=ACCENT, linewidth=3)
        star(axes, len(row.curve), row.curve[-1], f"trial {best}, selected")
    axes.set_ylim(limits([value for row in drawn for value in row.curve], objective.sign))
    axes.set(xlabel="epoch", ylabel=objective.label, title="Learning curves (cross: stopped early)")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(axis="y")
    legend(figure, 3)
    text = f"Learning curves of {len(drawn)} trials, {len(stopped)} of which stopped early"
    return Chart(figure, text + f"; the bold one is trial {best}" * bool(chosen))


def thinned(rows: Sequence[Row], best: int | None) -> list[Row]:
    """At most `MAX_CURVES` of the trials, evenly chosen, and the selected one."""
    if len(rows) <= MAX_CURVES:
        return list(rows)
    kept = set(np.linspace(0, len(rows) - 1, MAX_CURVES - 1).round().astype(int).tolist())
    return [row for i, row in enumerate(rows) if i in kept or row.number == best]


def distribution(rows: Sequence[Row], objective: Objective) -> Chart:
    """Empirical distribution function of the values of complete trials, at least one."""
    values = sorted(row.values[0] for row in rows if row.state == "complete")
    figure, axes = canvas()
    axes.ecdf(values, color=ACCENT)
    axes.plot(values, [0.0] * len(values), "|", color=ACCENT, markersize=12)
    set_limits(axes, values, objective.sign, "x")
    axes.set(xlabel=objective.label, ylabel="share of complete trials up to here", ylim=(0, 1.02))
    axes.set_title("Distribution of the complete trials (EDF)")
    axes.grid()
    return Chart(figure, f"Distribution of {objective.label} over {len(values)} complete trials")


def timeline(rows: Sequence[Row]) -> Chart:
    """Timeline of the trials, at least one of them with a known start; long pauses between sessions are cut out."""
    ran = [row for row in rows if row.end]
    starts, ends, gaps = _without_pauses([(row.start, row.end) for row in ran])
    figure, axes = canvas(7, min(12, 1.8 + 0.19 * len(ran)))
    unit, word = (60, "minutes") if max(ends) > 300 else (1, "seconds")
    for state, (colour, hatch) in _STATES.items():
        kept = [i for i, row in enumerate(ran) if row.state == state]
        if kept:
            axes.barh(
                [ran[i].number for i in kept], [(ends[i] - starts[i]) / unit for i in kept],
                left=[starts[i] / unit for i in kept], height=0.75, color=colour, edgecolor=PAGE, hatch=hatch,
                linewidth=0, label=state,
            )  # fmt: skip
    for gap in gaps:
        axes.axvline(gap / unit, color=MUTED, linestyle=":")
    axes.set(xlabel=f"{word} of work" + (", pauses cut out at the dotted lines" if gaps else ""), ylabel="trial")
    axes.set_title("Timeline of the trials")
    axes.set_ylim(max(row.number for row in ran) + 0.7, min(row.number for row in ran) - 0.7)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="x")
    legend(figure, 3)
    return Chart(figure, f"Timeline of {len(ran)} trials")


def _without_pauses(spans: Sequence[tuple[float, float]]) -> tuple[list[float], list[float], list[float]]:
    """Seconds of each start and end since the first start, and the positions at which long pauses were cut out."""
    origin = min(start for start, _ in spans)
    seconds = [(start - origin, end - origin) for start, end in spans]
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
