"""Charts of scores and importances, in the words of their text alternatives."""

from __future__ import annotations

import numpy as np

from steps.report.charts.classification import calibration
from steps.report.charts.scores import column_importances
from steps.tasks.classification.metrics import ACCURACY
from steps.tasks.importance import ColumnImportance


def test_a_column_whose_shuffling_helps_has_a_minus() -> None:
    found = [ColumnImportance("age", 0.12, 0.01), ColumnImportance("town", -0.001, 0.002)]
    text = "Importance of columns: age 12.00 points, town −0.10 points"
    assert f'aria-label="{text}"' in column_importances(found, ACCURACY).svg()


def test_a_single_bin_is_one() -> None:
    sure = np.tile(np.float32([0.02, 0.98]), (10, 1))
    assert "in 1 bin;" in calibration(np.ones(10, int), sure).svg()
