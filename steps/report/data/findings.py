"""Findings about a data set, a sentence each: warnings, whether the splits are alike, and which rows are repeated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from steps.datasets import Dataset
from steps.datasets.overview.distances import Distance
from steps.datasets.overview.overview import ColumnOverview, Overview
from steps.report.data.values import percent

_LISTED = 8  # columns named in a sentence
_TOO_GOOD = "if they are copies, the test score is too good"
_BY = ("test_dataset", "split_column", "time_column", "group_column")


@dataclass(frozen=True)
class Finding:
    """A sentence without its full stop.

    Attributes:
        is_warning: Whether a person should know it before they trust a model of these data.
    """

    text: str
    is_warning: bool = False


def findings(dataset: Dataset, overview: Overview) -> tuple[Finding, ...]:
    """Findings about the columns, then about the splits, then about repeated rows."""
    warnings = dataset.columns.schema.warnings if dataset.columns else ()
    return (
        *(Finding(warning, is_warning=True) for warning in warnings),
        *split_findings(dataset, overview),
        *column_findings(dataset, overview),
        *repeat_findings(dataset, overview),
    )


def split_findings(dataset: Dataset, overview: Overview) -> Iterator[Finding]:
    """Whether test rows can be told from training rows."""
    found = overview.discrimination
    if not found:
        return
    guess = "a guess has 0.5" if found.auc > 0.5 else "no better than a guess with 0.5"
    auc = f"(ROC AUC {found.auc:.2f}, {guess})"
    if not found.is_far:
        yield Finding(f"A classifier hardly tells test rows from training rows {auc}: the splits are alike")
        return
    far = farthest(overview, "test")
    most = f"most in column {far[0].column.name!r}" if far else "though no column does alone"
    by = next((name for name in _BY if getattr(dataset.request, name)), "")
    text = f"A classifier tells test rows from training rows {auc}: the splits differ, {most}"
    yield Finding(text + (f"; expected with {by}" if by else ""), is_warning=True)


def column_findings(dataset: Dataset, overview: Overview) -> Iterator[Finding]:
    """Columns that are different in a split."""
    splits = ("validation", "test")
    for name in splits:
        if columns := farthest(overview, name):
            listed = [f"{column.column.name!r} ({_how_far(column.distances[name])})" for column in columns[:_LISTED]]
            more = f" and {len(columns) - _LISTED:,} more" if len(columns) > _LISTED else ""
            plural = "s" if len(columns) > 1 else ""
            yield Finding(
                f"The {name} rows are unlike the training rows in {len(columns):,} column{plural}, by more than chance"
                f": {', '.join(listed)}{more}",
                is_warning=True,
            )
    if not any(farthest(overview, name) for name in splits):
        what = "No column is different" if dataset.columns else "The brightness of the images is not different"
        yield Finding(f"{what} in the splits by more than chance")


def repeat_findings(dataset: Dataset, overview: Overview) -> Iterator[Finding]:
    """Equal and nearly equal rows."""
    repeats, sizes = overview.repeats, {name: len(split) for name, split in dataset.whole_splits.items()}
    others = "training and validation rows" if len(sizes) > 2 or dataset.folds else "training rows"
    n_others = sum(sizes.values()) - sizes["test"]
    if repeats.n_equal:
        text = f"{repeats.n_equal:,} of {n_others:,} {others} have the same features as another one"
        if repeats.n_contradicting:
            text += (
                f"; {repeats.n_contradicting:,} of them as one with another target, so that no model is right on all"
            )
        yield Finding(text)
    else:
        yield Finding(f"No two of the {n_others:,} {others} have the same features")
    shared = f"{repeats.n_shared:,} of" if repeats.n_shared else "None of the"
    text = f"{shared} {sizes['test']:,} test rows have the same features as one of the {others}"
    yield Finding(text + (f"; {_TOO_GOOD}" if repeats.is_suspicious else ""), repeats.is_suspicious)
    if near := repeats.neighbours:
        share = percent(near.near_test) if near.near_test else "none"
        other = "other " if repeats.n_shared else ""
        text = f"Of {near.n_test:,} {other}test rows, {share} nearly equal one of {near.n_rows:,} {others}"
        if near.near_test:
            natural = percent(near.near_others) if near.near_others else "none"
            text += f", of which {natural} nearly equal another one"
        yield Finding(text + (f"; {_TOO_GOOD}" if near.is_suspicious else ""), near.is_suspicious)


def farthest(overview: Overview, split: str) -> list[ColumnOverview]:
    """The columns that are unlike the training rows in a split, the most different one first."""
    far = [column for column in overview.columns if split in column.distances and column.distances[split].is_notable]
    return sorted(far, key=lambda column: -column.distances[split].largest)


def _how_far(distance: Distance) -> str:
    """The distance that was found, and the difference in missing values."""
    found = [f"distance {distance.values:.2f}"] if distance.is_far else []
    if distance.is_missing_far:
        found.append(f"{abs(distance.missing):.0%} {'more' if distance.missing > 0 else 'fewer'} missing")
    return ", ".join(found)
