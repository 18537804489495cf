"""drift.html of a predict run: how the rows differ from the training rows, column by column."""

from __future__ import annotations

from collections.abc import Sequence

from steps.datasets.drift.comparison import ALPHA, LEAST_PSI, ColumnDrift, Part, What
from steps.report.drift.text import part_label, part_text, percent
from steps.report.page import render

_DRAWN = 12  # columns
_ORDER: tuple[tuple[What, ...], ...] = (("below",), ("between", "levels"), ("above", "unseen"), ("missing",))
_SHOWN = 0.0005  # least share of a part that is shown


def drift_page(drifts: Sequence[ColumnDrift], noun: str, title: str, n_rows: int, n_training: int) -> str:
    """The report as one HTML document.

    Args:
        drifts: Sorted as by `compare`.
        noun: Word for several columns.
        n_rows, n_training: Numbers of rows here, and of training rows.
    """
    return render(
        "drift/page.html.jinja",
        title=title,
        drifts=drifts,
        noun=noun,
        n_rows=n_rows,
        n_training=n_training,
        n_drawn=_DRAWN,
        parts_of=_parts,
        alpha=ALPHA,
        least_psi=LEAST_PSI,
        part_text=part_text,
        part_label=part_label,
        percent=percent,
    )


def _parts(drift: ColumnDrift) -> list[Part]:
    """The parts of a column in the order of its values, without those that are nearly empty on both sides."""
    shown = [part for part in drift.parts if max(part.share, part.share_in_training) >= _SHOWN]
    return [part for whats in _ORDER for part in shown if part.what in whats]
