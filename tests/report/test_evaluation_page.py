"""report.html in a real browser: on a phone and a screen, light and dark, with and without what may be missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from steps.datasets import Dataset
from steps.datasets.catalogue import load_dataset
from steps.report.evaluation_page import evaluation_page
from steps.tasks.checks import check_baseline
from steps.tasks.classification.comparison import McNemar
from steps.tasks.requirements import check_requirements, parse_requirements
from steps.tasks.task import task_of
from tests.report.contrast import LOWEST_CONTRAST

HOSTILE = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits", 1 / 6, seed=0)


def report(dataset: Dataset, *, share_right: float, **changes: Any) -> str:
    """The page of a classifier that is right on about a share of the samples."""
    labels, rng = np.asarray(dataset.splits["test"].targets), np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(10), len(labels)).astype(np.float32)
    right = rng.random(len(labels)) < share_right
    probabilities[right] *= 0.01
    probabilities[right, labels[right]] = 1
    probabilities /= probabilities.sum(1, keepdims=True)
    task = task_of(dataset)
    scores = task.test_scores(labels, probabilities)
    accuracy = scores["accuracy"].value
    values: dict[str, Any] = {
        "title": "digits-mlp version 2",
        "approved": True,
        "promoted": True,
        "reasons": ("approved, because all 2 checks are passed", "promoted, because it is better"),
        "checks": [
            *check_requirements(parse_requirements("accuracy>=0.5"), task, scores),
            check_baseline(task.primary, "guess", accuracy, 0.1),
        ],
        "dataset": dataset,
        "probabilities": probabilities,
        "scores": scores,
        "baselines": {"most_frequent_class": 0.1, "logistic_regression": 0.9},
        "champion": 1,
        "comparison": McNemar(300, 30, 10, 20),
        "losses": [2.3, 1.1, 0.7],
        "lineage": {"data": {"name": "digits", "note": HOSTILE}, "weights_digest": "ab" * 32},
    }
    return evaluation_page(**{**values, **changes})


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_it_shows_its_figures_and_asks_the_network_for_nothing(
    width: int, scheme: str, opened: Any, digits: Dataset
) -> None:
    page, trouble = opened(report(digits, share_right=0.9), width, scheme)
    assert trouble == []
    assert page.inner_text(".decision strong") == "Approved, promoted to champion"
    charts = page.locator("svg").all()
    assert [chart.get_attribute("role") for chart in charts] == ["img"] * 3
    assert all(chart.get_attribute("aria-label") for chart in charts)
    assert all(chart.bounding_box()["width"] > 250 for chart in charts)
    pictures = page.locator(".pictures img")
    assert pictures.count() == 24
    assert page.evaluate("[...document.images].every(i => i.naturalWidth === 8 && i.alt.includes(' as '))")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert HOSTILE in page.inner_text("dl")
    assert page.evaluate(LOWEST_CONTRAST) >= 4.5  # WCAG 2.1, level AA


def test_it_can_be_printed(opened: Any, digits: Dataset) -> None:
    page, _ = opened(report(digits, share_right=0.9), 800, "dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_it_says_what_there_is_not(opened: Any, digits: Dataset) -> None:
    html = report(digits, share_right=1.1, approved=False, promoted=False, champion=None, comparison=None, losses=[0.5])
    page, trouble = opened(html)
    assert trouble == []
    assert page.inner_text(".decision strong") == "Rejected, not promoted"
    text = page.inner_text("body")
    assert "None: every test sample is right." in text
    assert "McNemar" not in text


def test_samples_that_are_no_images_have_no_pictures(opened: Any, digits: Dataset) -> None:
    page, trouble = opened(report(replace(digits, image_shape=None), share_right=0.9))
    assert trouble == []
    assert page.locator("img").count() == 0
    assert page.locator(".pictures figcaption").count() == 24
