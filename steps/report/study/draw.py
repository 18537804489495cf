"""The report of a study, drawn from its result alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from steps.report.study.figures import study_charts
from steps.report.study.importance import importances
from steps.report.study.interactive import interactive_page
from steps.report.study.page import study_page
from steps.report.study.result import StudyResult
from steps.tasks.task import Task


def draw_study(result: StudyResult, task: Task, folder: Path, tune_run_id: str, run_url: Callable[[str], str]) -> None:
    """Write `figures/<name>.png`, `figures/study.html` and, if a trial is complete, `report.html`.

    Args:
        run_url: Address of a run's page, from its ID.
    """
    study = result.study()
    found = importances(study)
    charts = study_charts(result, found)
    if result.best is not None:
        page = study_page(result, task, charts, found, tune_run_id, run_url)
        (folder / "report.html").write_text(page, encoding="utf-8")
    figures = folder / "figures"
    figures.mkdir()
    for name, chart in charts.items():
        chart.save(figures / f"{name}.png")
    (figures / "study.html").write_text(interactive_page(result, study, found, charts), encoding="utf-8")
