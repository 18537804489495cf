"""An explanation of a model of a table: columns that matter, their effect, and rows that it predicts badly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from mlflow.pyfunc import PyFuncModel

from steps.datasets import Dataset
from steps.tasks.dependence import PartialDependence, partial_dependences
from steps.tasks.importance import ColumnImportance, permutation_importances
from steps.tasks.task import Task, task_of
from steps.tasks.weak_groups import WeakGroup, weak_groups

_DRAWN = 6  # columns whose effect is computed
_NAMED = 3  # columns


@dataclass(frozen=True)
class Explanation:
    """A model of a table on test rows.

    Attributes:
        importances: Of the columns, the largest first; empty for very wide tables.
        dependences: On the most important columns.
        weak_groups: Rows that are predicted much worse than the others, the worst first.
    """

    importances: tuple[ColumnImportance, ...] = ()
    dependences: tuple[PartialDependence, ...] = ()
    weak_groups: tuple[WeakGroup, ...] = ()

    def notes(self, task: Task) -> tuple[str, ...]:
        """The most important columns and the worst group, a sentence each, if there are any."""
        metric, most = task.primary, [column for column in self.importances[:_NAMED] if column.is_clear]
        notes = []
        if most:
            named = ", ".join(f"{column.name} ({metric.difference_text(column.mean)})" for column in most)
            notes.append(f"{metric.title} suffers most if these columns are shuffled: {named}")
        if self.weak_groups:
            notes.append(f"Weakest group of rows: {self.weak_groups[0].text(task.mean_error_text)}")
        return tuple(notes)


def explain(model: PyFuncModel, dataset: Dataset, outputs: np.ndarray, seed: int) -> Explanation:
    """Explain a model of a table by its test rows.

    Args:
        outputs: (n, n_outputs) of the model for them.
    """
    assert dataset.columns is not None
    task, rows, columns = task_of(dataset), dataset.test_input, dataset.columns.schema.columns
    targets = np.asarray(dataset.splits["test"].targets)
    table_model = model.unwrap_python_model()  # MLflow's checks of each call would take most of the time

    def predict(given: pd.DataFrame) -> np.ndarray:
        found: np.ndarray = table_model.outputs(given, [])
        return found

    def respond(given: pd.DataFrame) -> Mapping[str, np.ndarray]:
        return task.responses(predict(given))

    importances = permutation_importances(predict, rows, targets, task.primary, seed)
    known = {column.name: column for column in columns}
    most = [known[column.name] for column in importances[:_DRAWN]]
    return Explanation(
        importances,
        partial_dependences(respond, rows, most, seed),
        weak_groups(rows, columns, task.errors(targets, outputs), seed) if importances else (),
    )
