"""The part of an evaluation's report that depends on the task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from steps.report.charts.chart import Chart


@dataclass(frozen=True)
class Section:
    """The part of a report for one task.

    Attributes:
        template: Path below `steps/report/` of a template that extends `evaluation/page.html.jinja`.
        values: For the template.
        charts: By the name of their figure.
    """

    template: str
    values: Mapping[str, Any]
    charts: Mapping[str, Chart]
