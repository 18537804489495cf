"""report.html in a real browser: on a phone and a screen, light and dark, with and without what may be missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steps.datasets import Dataset
from steps.ensembles.mixture import Mixture
from steps.report.evaluation.draw import draw_evaluation
from steps.report.evaluation.result import RESULT, ChampionComparison, EvaluationResult
from steps.tasks.checks import check_baseline
from steps.tasks.classification.comparison import McNemar
from steps.tasks.metric import Interval
from steps.tasks.requirements import check_requirements, parse_requirements
from steps.tasks.task import task_of
from tests.report.contrast import LOWEST_CONTRAST

HOSTILE = "<script>alert('x')</script>"


def evaluated(dataset: Dataset, share_right: float, **changes: Any) -> tuple[EvaluationResult, np.ndarray]:
    """A classifier that is right on about a share of the samples, and its probabilities."""
    targets, rng = np.asarray(dataset.splits["test"].targets), np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(10), len(targets)).astype(np.float32)
    right = rng.random(len(targets)) < share_right
    probabilities[right] *= 0.01
    probabilities[right, targets[right]] = 1
    probabilities /= probabilities.sum(1, keepdims=True)
    task = task_of(dataset)
    scores = task.test_scores(targets, probabilities)
    values: dict[str, Any] = {
        "title": "digits-mlp version 2",
        "data_run_id": "d" * 32,
        "approved": True,
        "promoted": True,
        "reasons": ("approved, because all 2 checks are passed", "promoted, because it is better"),
        "checks": (
            *check_requirements(parse_requirements("accuracy>=0.5"), task, scores),
            check_baseline(task.primary, "guess", scores["accuracy"].value, 0.1),
        ),
        "scores": scores,
        "baselines": {
            "most_frequent_class": Interval(0.1),
            "logistic_regression": Interval(0.9, 0.87, 0.93),
        },
        "notes": (HOSTILE,),
        "importances": (),
        "comparison": ChampionComparison.of(1, Interval(0.86, 0.82, 0.89), McNemar(300, 30, 10, 20)),
        "mixture": None,
        "members": (),
        "losses": {"trial-003": (2.3, 1.1, 0.7)},
        "lineage": {"data": {"name": "digits", "note": HOSTILE}, "weights_digest": "ab" * 32},
    }
    return EvaluationResult(**{**values, **changes}), probabilities


@pytest.fixture
def report(tmp_path: Path) -> Any:
    """Draws the report of a classifier, and gives the page."""

    def draw(dataset: Dataset, *, share_right: float, **changes: Any) -> str:
        folder = tmp_path / "drawn"
        folder.mkdir()
        result, probabilities = evaluated(dataset, share_right, **changes)
        draw_evaluation(result, dataset, probabilities, folder)
        return (folder / "report.html").read_text(encoding="utf-8")

    return draw


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_it_shows_its_figures_and_asks_the_network_for_nothing(
    width: int, scheme: str, opened: Any, report: Any, digits: Dataset
) -> None:
    page, trouble = opened(report(digits, share_right=0.9), width, scheme)
    assert trouble == []
    assert page.inner_text(".decision strong") == "Approved, promoted to champion"
    charts = page.locator("svg").all()
    assert [chart.get_attribute("role") for chart in charts] == ["img"] * 3
    assert all(chart.get_attribute("aria-label") for chart in charts)
    assert all(chart.bounding_box()["width"] > 250 for chart in charts)
    pictures = page.locator(".pictures img")
    assert pictures.count() == 25
    assert page.evaluate("[...document.images].every(i => i.naturalWidth === 8 && i.alt.includes(' as '))")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert HOSTILE in page.inner_text("dl")
    assert page.evaluate(LOWEST_CONTRAST) >= 4.5  # WCAG 2.1, level AA


def test_it_shows_the_members_of_an_ensemble(opened: Any, report: Any, digits: Dataset) -> None:
    alone = Interval(0.9, 0.87, 0.93)
    networks = {7: 2, 12: 1}
    mixture = Mixture(
        {7: 0.75, 12: 0.25}, HOSTILE, Interval(0.92, 0.9, 0.94), alone, 0.03, "exact test", 0.05, {}, networks
    )
    members = {"trial-007": {"weight": 0.75, "hyperparameters": {"units_0": 64}}}
    page, trouble = opened(
        report(
            digits, share_right=0.9, mixture=mixture, members=((7, 0.9), (12, 0.89)),
            losses={"trial-007": (2.3, 1.1), "trial-007-2": (2.4, 1.2), "trial-012": (2.0, 1.0, 0.7)},
            lineage={"study": {}, "members": members},
        )
    )  # fmt: skip
    assert trouble == []
    text = page.inner_text("body")
    assert f"the mean of the outputs of 3 networks of these trials: {HOSTILE}. On the validation rows" in text
    assert "On the validation rows, accuracy 92.00 %" in text
    assert "2.00 points better, more than chance (exact test: p = 0.03)." in text
    row = page.locator("tr", has_text="0.750")
    assert row.inner_text().split() == ["7", "0.750", "2", "90.00", "%"]
    assert page.inner_text("dd") == "weight: 0.75, hyperparameters: {units_0: 64}"
    assert [heading.lower() for heading in page.locator("h3").all_inner_texts()] == ["members"]


def test_it_can_be_printed(opened: Any, report: Any, digits: Dataset) -> None:
    page, _ = opened(report(digits, share_right=0.9), 800, "dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_it_says_what_there_is_not(opened: Any, report: Any, digits: Dataset) -> None:
    html = report(
        digits, share_right=1.1, approved=False, promoted=False, comparison=None, losses={"trial-003": (0.5,)}
    )
    page, trouble = opened(html)
    assert trouble == []
    assert page.inner_text(".decision strong") == "Rejected, not promoted"
    text = page.inner_text("body")
    assert "None: every test sample is right." in text
    assert "McNemar" not in text


def test_samples_that_are_no_images_have_no_pictures(opened: Any, report: Any, digits: Dataset) -> None:
    page, trouble = opened(report(replace(digits, image_shape=None), share_right=0.9))
    assert trouble == []
    assert page.locator("img").count() == 0
    assert page.locator("table.mistakes tbody tr").count() == 25


def test_figures_are_what_the_data_allow(report: Any, digits: Dataset, tmp_path: Path) -> None:
    report(digits, share_right=0.9)
    always = {"calibration.png", "confusion_matrix.png", "training_loss.png"}
    assert {path.name for path in (tmp_path / "drawn/figures").iterdir()} == always | {"worst_mistakes.png"}
    (tmp_path / "drawn").rename(tmp_path / "images")
    report(replace(digits, image_shape=None), share_right=0.9)
    assert {path.name for path in (tmp_path / "drawn/figures").iterdir()} == always


def test_the_result_is_read_back_as_it_was_written(digits: Dataset) -> None:
    for comparison in (None, ChampionComparison.of(1, Interval(0.86, 0.82, 0.89), McNemar(300, 30, 10, 20))):
        result, _ = evaluated(digits, 0.9, comparison=comparison)
        assert RESULT.validate_json(RESULT.dump_json(result)) == result
