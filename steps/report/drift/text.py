"""Differences between the rows to predict and the training rows, in one line and as a table."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Sequence

from steps.datasets.drift.comparison import ColumnDrift, Part
from steps.report.format import value_text
from steps.tasks.metric import significant

_NAMED = 3  # columns
_LISTED = 3  # levels
_LONGEST = 40  # characters of a level
_HEADINGS = (
    "column", "kind", "differs", "psi", "p_value", "missing", "missing_in_training", "outside", "largest_difference",
)  # fmt: skip


def drift_line(drifts: Sequence[ColumnDrift], noun: str) -> str:
    """The columns that differ and how, the largest differences first; "" if there is none.

    Args:
        drifts: Sorted as by `compare`.
        noun: Word for several columns.
    """
    found = [drift for drift in drifts if drift.differs]
    if not found:
        return ""
    named = [f"{drift.name} (PSI {drift.psi:.2f}: {part_text(drift)})" for drift in found[:_NAMED]]
    more = [f"and {len(found) - _NAMED:,} more"] if len(found) > _NAMED else []
    verb = "differs" if len(found) == 1 else "differ"
    counted = f"{len(found):,} of {len(drifts):,} {noun} {verb} from the training data"
    return f"{counted}: {', '.join([*named, *more])}"


def drift_table(drifts: Sequence[ColumnDrift]) -> str:
    """All columns as CSV, the largest differences first."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_HEADINGS)
    for drift in drifts:
        writer.writerow(
            (
                drift.name, drift.kind, str(drift.differs).lower(), f"{drift.psi:.4f}", f"{drift.p_value:.3g}",
                f"{drift.missing:.4f}", f"{drift.missing_in_training:.4f}", f"{drift.outside:.4f}", part_text(drift),
            )
        )  # fmt: skip
    return file.getvalue()


def part_text(drift: ColumnDrift) -> str:
    """The part of the rows that makes most of a difference, with its share in the training rows."""
    part = drift.largest
    low, high = (_value(end, drift) for end in part.ends)
    words = {
        "unseen": f"unseen levels such as {_words(part)}" if part.levels else "unseen levels",
        "below": f"below its training range, which ends at {low}",
        "above": f"above its training range, which ends at {high}",
        "between": f"at {low}" if low == high else f"from {low} to {high}",
    }
    text = f"{percent(part.share)} {words.get(part.what) or part_label(part, drift)}"
    return (
        text if part.what in ("unseen", "below", "above") else f"{text}, {percent(part.share_in_training)} in training"
    )


def part_label(part: Part, drift: ColumnDrift) -> str:
    """A part of the rows in a few words.

    Args:
        drift: That of the column, whose kind says how its values are written.
    """
    low, high = (_value(end, drift) for end in part.ends)
    words = {
        "missing": "missing",
        "unseen": "unseen levels",
        "levels": _words(part) or "rare levels",
        "below": f"below {low}",
        "above": f"above {high}",
        "between": low if low == high else f"from {low}" if drift.kind == "date" else f"{low} to {high}",
    }
    return words[part.what]


def _words(part: Part) -> str:
    return ", ".join(map(_quoted, part.levels[:_LISTED]))


def _quoted(word: str) -> str:
    """A word in quotes on one line, shortened."""
    return f'"{textwrap.shorten(word, _LONGEST, placeholder="…") or "…"}"'


def _value(number: float, drift: ColumnDrift) -> str:
    if drift.kind == "date":
        return value_text(number, "date")
    return f"{number:.4g}" if abs(number) < 10_000 else significant(number)


def percent(share: float) -> str:
    """A share in percent: whole numbers, but never 0 or 100 for a share that is neither."""
    percent = 100 * share
    if 0 < percent < 0.995:
        return f"{percent:.1g} %"
    return f"{percent:.1f} %" if 99.5 <= percent < 100 else f"{percent:.0f} %"
