"""report.html of models of tables in a real browser: numbers, and two classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steps.datasets import Dataset
from steps.report.evaluation.draw import draw_evaluation
from steps.report.evaluation.result import RESULT
from tests.report.contrast import LOWEST_CONTRAST
from tests.report.evaluation.tables import churn, evaluated, prices

Made = Callable[[], tuple[Dataset, list[np.ndarray]]]
CASES = [(prices, "rmse<=500000", 5), (churn, "roc_auc>=0.5", 6)]


def drawn(made: Made, require: str, folder: Path) -> str:
    dataset, outputs = made()
    folder.mkdir()
    draw_evaluation(evaluated(dataset, outputs, require), dataset, outputs[0], folder)
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (1400, "dark")])
@pytest.mark.parametrize(("made", "require", "n_charts"), CASES)
def test_it_fits_and_asks_the_network_for_nothing(
    made: Made, require: str, n_charts: int, width: int, scheme: str, opened: Any, tmp_path: Path
) -> None:
    page, trouble = opened(drawn(made, require, tmp_path / "drawn"), width, scheme)
    assert trouble == []
    charts = page.locator("svg").all()
    assert [chart.get_attribute("role") for chart in charts] == ["img"] * n_charts
    assert all(chart.get_attribute("aria-label") for chart in charts)
    assert page.locator("svg[aria-label^='Importance of columns: <script>']").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate(LOWEST_CONTRAST) >= 4.5  # WCAG 2.1, level AA
    assert len(page.content()) < 5_000_000


def test_numbers_have_their_unit_and_smaller_errors_are_better(opened: Any, tmp_path: Path) -> None:
    page, _ = opened(drawn(prices, "rmse<=500000", tmp_path / "drawn"))
    text = page.inner_text("body")
    dataset, outputs = prices()
    targets = dataset.splits["test"].targets.astype(float)
    errors = outputs[0][:, 0].astype(float) - targets
    rmse = f"{np.sqrt((errors**2).mean()):,.0f}"
    assert rmse in page.inner_text(".numbers")
    assert f"test RMSE {rmse} is at most 500,000" in text
    assert f"Half of the predictions are within {np.median(np.abs(errors)):,.0f} of" in text
    assert "scikit-learn's HistGradientBoosting" in page.inner_text(".decision")
    margins = page.locator("tr", has_text="gradient boosting").locator("td").all_inner_texts()
    assert margins[-1].startswith("−")  # it is the better one
    assert page.locator("tr", has_text="champion (version 1)").locator("td").all_inner_texts()[-1].startswith("+")
    assert "sign-flip test" in text
    rows = page.locator("h2:has-text('Error by size') + .scroll tbody tr").all_inner_texts()
    assert sum(int(row.split("\t")[1].replace(",", "")) for row in rows) == len(targets)


def test_two_classes_have_their_curves_and_delongs_test(opened: Any, tmp_path: Path) -> None:
    page, _ = opened(drawn(churn, "roc_auc>=0.5", tmp_path / "drawn"))
    text = page.inner_text("body")
    assert "DeLong's test against version 1" in text
    assert "champion right" not in text
    assert page.locator("svg[aria-label^='ROC curve of the class yes']").count() == 1
    assert {path.stem for path in (tmp_path / "drawn/figures").iterdir()} >= {"roc_curve", "precision_recall_curve"}


@pytest.mark.parametrize(("made", "require", "_charts"), CASES)
def test_the_result_is_read_back_as_it_was_written(made: Made, require: str, _charts: int) -> None:
    result = evaluated(*made(), require)
    assert RESULT.validate_json(RESULT.dump_json(result)) == result
