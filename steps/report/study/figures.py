"""The figures of a study that its trials allow."""

from __future__ import annotations

from collections.abc import Sequence

from steps.report.charts.chart import Chart
from steps.report.charts.front import front
from steps.report.charts.parameters import contour, parallel_coordinate, param_importances, slices
from steps.report.charts.trials import curves, distribution, history, timeline
from steps.report.study.importance import Importance
from steps.report.study.result import Row, StudyResult


def study_charts(result: StudyResult, found: Sequence[Importance]) -> dict[str, Chart]:
    """Charts by the name of their file; with several objectives all but the Pareto front are of the first one.

    Args:
        found: Importances, the largest first; may be empty.
    """
    rows, complete, first = result.rows, result.complete, result.objectives[0]
    charts = {}
    if result.front and result.best is not None:
        charts["pareto_front"] = front(rows, result.front, result.objectives, result.best)
    if result.best is not None:
        charts["optimization_history"] = history(rows, first, result.best)
    if any(row.curve for row in rows):
        charts["intermediate_values"] = curves(rows, result.followed, result.best)
    if len(complete) > 1:
        charts["edf"] = distribution(rows, first)
    if any(row.start for row in rows):
        charts["timeline"] = timeline(rows)
    if found:
        charts["param_importances"] = param_importances(found, len(complete))
    names = searched(result, found)
    if len(complete) > 1 and names:
        charts["parallel_coordinate"] = parallel_coordinate(complete, names, first)
        charts["slice"] = slices(complete, names, first)
    if pair := most_important_pair(complete, names):
        charts["contour"] = contour(complete, pair, first)
    return charts


def searched(result: StudyResult, found: Sequence[Importance]) -> list[str]:
    """The hyperparameters searched by complete trials, the most important first."""
    names = [importance.name for importance in found]
    return names or sorted({name for row in result.complete for name in row.distributions})


def most_important_pair(complete: Sequence[Row], names: Sequence[str]) -> tuple[str, str] | None:
    """The first two hyperparameters that vary and that at least three complete trials have in common."""
    values = {name: {str(row.hyperparameters[name]) for row in complete if name in row.distributions} for name in names}
    varying = [name for name in names if len(values[name]) > 1]
    for i, first in enumerate(varying):
        for second in varying[i + 1 :]:
            if sum(first in row.distributions and second in row.distributions for row in complete) >= 3:
                return first, second
    return None
