"""report.html of models of tables in a real browser: numbers, and two classes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steps.datasets import Dataset
from steps.datasets.tabular.predictions import set_members
from steps.report.evaluation.draw import draw_evaluation
from steps.report.evaluation.result import RESULT
from steps.tasks.classification.conformal import fitted_sets
from tests.report.contrast import LOWEST_CONTRAST
from tests.report.evaluation.tables import churn, churn_with_costs, evaluated, letters, prices

Made = Callable[[], tuple[Dataset, list[np.ndarray]]]
CASES = [
    (prices, "rmse<=500000", 5),
    (churn, "roc_auc>=0.5", 6),
    (churn_with_costs, "cost<=1", 6),
    (letters, "accuracy>=0.5", 4),
]


def drawn(made: Made, require: str, folder: Path) -> str:
    dataset, outputs = made()
    folder.mkdir()
    draw_evaluation(evaluated(dataset, outputs, require), dataset, outputs[0], folder)
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), pytest.param(1400, "dark", marks=pytest.mark.slow)])
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


def test_the_largest_errors_are_paragraphs_on_a_phone(opened: Any, tmp_path: Path) -> None:
    page, _ = opened(drawn(prices, "rmse<=500000", tmp_path / "drawn"), 400)
    cells = page.locator("h2:has-text('Largest errors') + .scroll td")
    assert cells.count() == 40
    ends = cells.evaluate_all("cells => cells.map(cell => cell.getBoundingClientRect().right)")
    assert max(ends) <= 400
    label = "cell => getComputedStyle(cell, '::before').content"
    assert "test sample" in cells.first.evaluate(label)


def test_two_classes_have_their_curves_and_delongs_test(opened: Any, tmp_path: Path) -> None:
    page, _ = opened(drawn(churn, "roc_auc>=0.5", tmp_path / "drawn"))
    text = page.inner_text("body")
    assert "DeLong's test against version 1" in text
    assert "champion right" not in text
    assert page.locator("svg[aria-label^='ROC curve of the class yes']").count() == 1
    assert {path.stem for path in (tmp_path / "drawn/figures").iterdir()} >= {"roc_curve", "precision_recall_curve"}


def test_the_threshold_in_use_and_others_are_shown_with_their_counts(opened: Any, tmp_path: Path) -> None:
    page, _ = opened(drawn(churn, "roc_auc>=0.5", tmp_path / "drawn"))
    dataset, outputs = churn()
    is_positive, scores = dataset.splits["test"].targets == 1, outputs[0][:, 1]
    rows = [row.inner_text().replace(",", "").split("\t") for row in page.locator("table.thresholds tbody tr").all()]
    assert [float(row[0]) for row in rows] == sorted(float(row[0]) for row in rows)
    assert len(rows) >= 8
    for threshold, _, *counts in (row[:6] for row in rows):
        predicted = scores >= float(threshold)
        expected = [is_positive & predicted, ~is_positive & predicted, is_positive & ~predicted]
        assert [int(count) for count in counts] == [
            *(part.sum() for part in expected),
            3000 - np.any(expected, 0).sum(),
        ]
    used = page.locator("table.thresholds tr.used")
    assert used.count() == 1
    scores_of_run = evaluated(dataset, outputs, "").scores
    text = used.inner_text()
    assert text.startswith("0.5\tin use\t")
    assert f"{100 * scores_of_run['precision'].value:.1f} %" in text
    assert f"{100 * scores_of_run['recall'].value:.1f} %" in text


def test_a_class_that_is_never_predicted_is_said(tmp_path: Path) -> None:
    dataset, outputs = churn()
    rare = [np.stack([1 - output[:, 1] / 3, output[:, 1] / 3], axis=1) for output in outputs]
    assert "which it is for no test sample" in drawn(lambda: (dataset, rare), "", tmp_path / "rare")
    assert "which it is for no test sample" not in drawn(churn, "", tmp_path / "drawn")


def test_all_figures_are_those_of_the_threshold_of_the_costs(opened: Any, tmp_path: Path) -> None:
    page, _ = opened(drawn(churn_with_costs, "cost<=1", tmp_path / "drawn"))
    dataset, outputs = churn_with_costs()
    scores = evaluated(dataset, outputs, "").scores
    text = page.inner_text("body")
    assert "predicts it from a probability of 0.21 on" in text
    assert "the costs fp:1,fn:5 of a false positive and of a false negative" in text
    used = page.locator("table.thresholds tr.used").inner_text().split("\t")
    counts = [int(count.replace(",", "")) for count in used[2:6]]
    assert used[:2] == ["0.21", "in use"]
    assert used[6:8] == [f"{100 * scores[name].value:.1f} %" for name in ("precision", "recall")]
    assert used[8] == f"{1000 * scores['cost'].value:.1f}"
    assert 1000 * scores["cost"].value == pytest.approx((counts[1] + 5 * counts[2]) / 3)
    assert page.locator("table.thresholds tr", has_text="0.5\t").count() == 1
    cells = [int(cell) for cell in page.locator("table.matrix td").all_inner_texts()]
    assert cells == [counts[3], counts[1], counts[2], counts[0]]
    assert scores["accuracy"].value == pytest.approx((counts[0] + counts[3]) / 3000)
    assert f"{100 * scores['accuracy'].value:.2f} %" in page.inner_text(".numbers")


def test_fifty_classes_are_readable(opened: Any, tmp_path: Path) -> None:
    page, _ = opened(drawn(letters, "accuracy>=0.5", tmp_path / "drawn"))
    dataset, outputs = letters()
    targets, predicted = np.asarray(dataset.splits["test"].targets), outputs[0].argmax(1)
    rows = [row.inner_text().split("\t") for row in page.locator("table.confusions tbody tr").all()]
    counts = [int(row[2]) for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert len(counts) == 10
    names = dataset.target.class_names
    for true, other, count, share in rows:
        of_class = targets == names.index(true)
        n = int((of_class & (predicted == names.index(other))).sum())
        assert (int(count), share) == (n, f"{100 * n / of_class.sum():.1f} %")
    cells = page.locator("table.matrix td").all_inner_texts()
    assert len(cells) == 12 * 12
    assert sum(int(cell) for cell in cells if cell) == 3000
    assert page.locator("table.matrix").bounding_box()["width"] < 1056
    by_class = page.locator("h2:has-text('By class') ~ .scroll").first.locator("tbody tr").all_inner_texts()
    f1 = [float(row.split("\t")[3].removesuffix(" %")) for row in by_class]
    assert len(f1) == 50
    assert f1 == sorted(f1)


def test_prediction_sets_are_shown_with_their_coverage(opened: Any, tmp_path: Path) -> None:
    page, _ = opened(drawn(letters, "", tmp_path / "drawn"))
    dataset, outputs = letters()
    rows = [row.inner_text().split("\t") for row in page.locator("table.sets tbody tr").all()]
    assert [row[0] for row in rows] == ["80 %", "90 %", "95 %", "99 %"]
    members = set_members(outputs[0], dataset.target, 0.9)
    holds = members[np.arange(3000), dataset.splits["test"].targets].mean()
    assert rows[1][1] == f"{100 * holds:.1f} %"
    assert "predict -P sets=0.9" in page.inner_text("body")
    assert rows[1][3:] == [f"{members.sum() / 3000:.2f}", f"{100 * (members.sum(1) == 1).mean():.1f} %"]


def test_of_few_validation_rows_the_sets_have_the_level_that_there_is(tmp_path: Path) -> None:
    dataset, outputs = letters()
    few = dataset.with_sets(fitted_sets(dataset.splits["test"].targets[:6], outputs[0][:6]))
    page = drawn(lambda: (few, outputs), "", tmp_path / "drawn")
    assert "predict -P sets=0.8" in page
    assert "at least 80 % of the sets" in page


@pytest.mark.parametrize(("made", "require", "_charts"), CASES)
def test_the_result_is_read_back_as_it_was_written(made: Made, require: str, _charts: int) -> None:
    result = evaluated(*made(), require)
    assert RESULT.validate_json(RESULT.dump_json(result)) == result


def test_the_result_of_a_run_from_before_there_were_costs_is_read() -> None:
    result = evaluated(*churn(), "")
    about = json.loads(RESULT.dump_json(result))
    del about["decision"], about["sets"]
    assert RESULT.validate_python(about) == result
