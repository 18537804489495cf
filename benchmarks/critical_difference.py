"""Critical-difference diagram (Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 2006)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import studentized_range

from steps.report.charts.chart import MUTED, TEXT, Chart, canvas

_LEVEL = 0.05


def critical_difference(n_systems: int, n_tables: int) -> float:
    """Difference of two mean ranks that is more than chance by the Nemenyi test, at a level of 5 % over all pairs."""
    quantile = float(studentized_range.ppf(1 - _LEVEL, n_systems, np.inf)) / np.sqrt(2)
    return quantile * np.sqrt(n_systems * (n_systems + 1) / (6 * n_tables))


def groups(ranks: np.ndarray, difference: float) -> list[tuple[int, int]]:
    """First and last of each longest series of systems that cannot be told apart; `ranks` (n_systems,) ascending."""
    last = np.searchsorted(ranks, ranks + difference) - 1
    found = [(i, int(last[i])) for i in range(len(ranks)) if last[i] > i]
    return [found[0], *(new for old, new in pairwise(found) if new[1] > old[1])] if found else []


def diagram(losses: pd.DataFrame) -> Chart:
    """Mean ranks of systems on an axis; a bar joins those that cannot be told apart.

    Args:
        losses: A row per table, a column per system.
    """
    n_tables, n_systems = losses.shape
    ranks = losses.rank(axis=1).mean().sort_values()
    difference = critical_difference(n_systems, n_tables)
    joined = groups(ranks.to_numpy(), difference)
    n_left = -(-n_systems // 2)
    rows = np.r_[np.arange(n_left), np.arange(n_systems - n_left)[::-1]]  # of the names below the axis
    top = 1 + 0.5 * len(joined)
    figure, axes = canvas(8.5, 1.4 + 0.3 * n_left + 0.15 * len(joined))
    axes.axis("off")
    axes.set(xlim=(1 - 0.45 * n_systems, 1.45 * n_systems), ylim=(top + n_left, -2.2))
    axes.plot([1, n_systems], [0, 0], color=TEXT)
    for rank in range(1, n_systems + 1):
        axes.plot([rank, rank], [0, -0.2], color=TEXT)
        axes.text(rank, -0.35, str(rank), ha="center", va="bottom")
    axes.plot([1, 1 + difference], [-1.6, -1.6], color=MUTED, linewidth=3)
    axes.text(1 + difference, -1.6, f"  critical difference {difference:.2f}", va="center", color=MUTED)
    for i, (first, last) in enumerate(joined):
        axes.plot(ranks.iloc[[first, last]], [0.5 + 0.5 * i] * 2, color=TEXT, linewidth=4, solid_capstyle="round")
    for place, (system, rank, row) in enumerate(zip(ranks.index, ranks, rows, strict=True)):
        is_left = place < n_left
        edge, side = (0.9, "right") if is_left else (n_systems + 0.1, "left")
        axes.plot([rank, rank, edge], [0, top + row, top + row], color=MUTED, linewidth=1)
        text = f"{system}  {rank:.1f} " if is_left else f" {rank:.1f}  {system}"
        axes.text(edge, top + row, text, ha=side, va="center")
    order = ", ".join(f"{system} {rank:.1f}" for system, rank in ranks.items())
    return Chart(figure, f"Mean ranks over {n_tables} tables; critical difference {difference:.2f}: {order}")
