"""The part of an evaluation's report that depends on the task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steps.datasets import Dataset
from steps.datasets.tabular.arrays import plain, text
from steps.report.charts.chart import Chart


@dataclass(frozen=True)
class Section:
    """The part of a report for one task.

    Attributes:
        template: Path below `steps/report/` of a template that extends `evaluation/page.html.jinja`.
        values: For the template.
        charts: By the name of their figure.
        weaknesses: Clauses on the test rows that the model predicts worst.
    """

    template: str
    values: Mapping[str, Any]
    charts: Mapping[str, Chart]
    weaknesses: tuple[str, ...] = ()


def cells(dataset: Dataset, rows: Sequence[int], names: Sequence[str]) -> list[dict[str, str]]:
    """Raw cells of test rows by the names of some columns, as text; empty for each row if there are no names."""
    if not names:
        return [{} for _ in rows]
    chosen = plain(dataset.test_input[list(names)].iloc[list(rows)])
    return [
        {name: text(value) or "" for name, value in zip(names, row, strict=True)}
        for row in chosen.itertuples(index=False)
    ]
