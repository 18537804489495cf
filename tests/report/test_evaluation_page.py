"""report.html in a real browser: on a phone and a screen, light and dark, with and without what may be missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from steps.datasets import Dataset, load_dataset
from steps.mlp.checks import check_accuracy, check_baseline
from steps.mlp.comparison import Comparison
from steps.mlp.metrics import metrics
from steps.report.evaluation_page import evaluation_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits", 1 / 6, seed=0)


def report(dataset: Dataset, *, share_right: float, **changes: Any) -> str:
    """The page of a classifier that is right on about a share of the samples."""
    labels, rng = np.asarray(dataset.splits["test"].labels), np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(10), len(labels)).astype(np.float32)
    right = rng.random(len(labels)) < share_right
    probabilities[right] *= 0.01
    probabilities[right, labels[right]] = 1
    probabilities /= probabilities.sum(1, keepdims=True)
    scores = metrics(probabilities, labels)
    values: dict[str, Any] = {
        "title": "digits-mlp version 2",
        "approved": True,
        "promoted": True,
        "reasons": ("approved, because all 2 checks are passed", "promoted, because it is better"),
        "checks": [check_accuracy(scores.test_accuracy, 0.5), check_baseline("guess", scores.test_accuracy, 0.1)],
        "dataset": dataset,
        "probabilities": probabilities,
        "scores": scores,
        "baselines": {"most_frequent_class": 0.1, "logistic_regression": 0.9},
        "champion": 1,
        "comparison": Comparison(300, 30, 10, 20),
        "losses": [2.3, 1.1, 0.7],
        "lineage": {"data": {"name": "digits", "note": HOSTILE}, "weights_digest": "ab" * 32},
    }
    return evaluation_page(**{**values, **changes})


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Any:
    """Opens HTML and holds what the browser asked for and complained about."""

    def open_page(html: str, width: int = 1400, scheme: Any = "light") -> tuple[Page, list[str]]:
        path = tmp_path / "report.html"
        path.write_text(html, encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        trouble: list[str] = []
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda r: trouble.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
        page.goto(path.as_uri())
        return page, trouble

    return open_page


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
    assert page.evaluate(_LOWEST_CONTRAST) >= 4.5  # WCAG 2.1, level AA


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


# The lowest contrast of any text against the colour that lies behind it.
_LOWEST_CONTRAST = """() => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d');
  const paint = colours => { canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return canvas.getImageData(0, 0, 1, 1).data; };
  const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ratios = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (!walker.currentNode.textContent.trim()) continue;
    const element = walker.currentNode.parentElement, behind = [];
    for (let e = element; e; e = e.parentElement) behind.unshift(getComputedStyle(e).backgroundColor);
    const style = getComputedStyle(element);
    const back = luminance(paint(behind));
    const front = luminance(paint([...behind, element.closest('svg') ? style.fill : style.color]));
    ratios.push((Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05));
  }
  return Math.min(...ratios);
}"""
