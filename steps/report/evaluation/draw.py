"""The report of an evaluation, drawn from its result, the test split and the outputs for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from steps.datasets import Dataset
from steps.report.charts.dependence import dependence_charts
from steps.report.charts.scores import column_importances, training_loss
from steps.report.evaluation.card import model_card
from steps.report.evaluation.classification import classification_section
from steps.report.evaluation.page import N_COLUMNS, evaluation_page
from steps.report.evaluation.regression import regression_section
from steps.report.evaluation.result import EvaluationResult
from steps.tasks.task import task_of

CARD = "card.md"
_CELLS = 6  # of a row that was predicted badly
_SECTIONS = {"classification": classification_section, "regression": regression_section}  # by the name of the task


def draw_evaluation(result: EvaluationResult, dataset: Dataset, outputs: np.ndarray, folder: Path) -> None:
    """Write `report.html`, `card.md` and `figures/<name>.png`.

    Args:
        dataset: With its test split.
        outputs: (n, n_outputs) of the model for that split.
    """
    task = task_of(dataset)
    shown = [column.name for column in result.importances[:_CELLS]] if dataset.test_rows is not None else []
    section = _SECTIONS[task.name](dataset, outputs, shown)
    charts = {"training_loss": training_loss(result.losses), **section.charts}
    if result.dependences:
        charts |= dependence_charts(result.dependences)
    if result.importances:
        charts["column_importances"] = column_importances(result.importances[:N_COLUMNS], task.primary)
    page = evaluation_page(result, task, len(outputs), section, charts)
    (folder / "report.html").write_text(page, encoding="utf-8")
    (folder / CARD).write_text(model_card(result, dataset, section.weaknesses), encoding="utf-8")
    figures = folder / "figures"
    figures.mkdir()
    for name, chart in charts.items():
        chart.save(figures / f"{name}.png")
