"""report.html of an evaluate run: the decision, and everything it rests on."""

from __future__ import annotations

from collections.abc import Mapping

from steps.report.charts.chart import Chart
from steps.report.charts.scores import intervals
from steps.report.evaluation.result import EvaluationResult
from steps.report.evaluation.section import Section
from steps.report.page import render
from steps.tasks.dependence import MAX_OUTPUTS
from steps.tasks.dependence import MAX_ROWS as MAX_CURVES
from steps.tasks.importance import n_sampled, n_shuffles
from steps.tasks.metric import Interval
from steps.tasks.task import Task

N_COLUMNS = 12  # of which the importance is drawn


def evaluation_page(
    result: EvaluationResult, task: Task, n_test: int, section: Section, charts: Mapping[str, Chart]
) -> str:
    """The report as one HTML document.

    Args:
        n_test: Rows of the test split.
        charts: By the name of their figure.
    """
    metric, rivals = task.primary, _rivals(result, task)
    log_error = n_test if metric.is_share and metric.direction == "maximize" else 0
    return render(
        section.template,
        title=result.title,
        result=result,
        task=task,
        rivals=rivals,
        rivals_chart=intervals(rivals, metric, "test", log_error),
        n_test=n_test,
        charts=charts,
        n_columns=N_COLUMNS,
        n_repeats=n_shuffles(len(result.importances)) if result.importances else 0,
        n_shuffled=n_sampled(n_test),
        n_curves=min(n_test, MAX_CURVES),
        max_outputs=MAX_OUTPUTS,
        **section.values,
    )


def _rivals(result: EvaluationResult, task: Task) -> dict[str, Interval]:
    """The primary metric of the model and of all it is measured against, the model first."""
    others = {} if (to := result.comparison) is None else {f"champion (version {to.version})": to.champion}
    others |= {name.replace("_", " "): score for name, score in result.baselines.items()}
    return {"this model": result.scores[task.primary.name], **others}
