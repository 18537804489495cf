"""data.html in a real browser, and the same on the terminal."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from steps.datasets import Dataset
from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest
from steps.report.data.page import data_page
from steps.report.data.terminal import print_data
from tests.report.contrast import LOWEST_CONTRAST

HOSTILE = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "rooms.csv"
    rng, n = np.random.default_rng(0), 1500
    frame = pd.DataFrame(
        {
            HOSTILE: rng.choice(["a", "b", "c"], n),
            "booked": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D"),
            "size": np.where(rng.random(n) < 0.1, np.nan, rng.normal(20, 5, n).round(2)),
            "constant": 1,
            "price": rng.lognormal(4, 0.5, n).round(2),
            "sold": rng.choice(["yes", "no"], n, p=[0.3, 0.7]),
        }
    )
    frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize(("target", "heading"), [("price", "Regression of price"), ("sold", "Classification of sold")])
@pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (1400, "light")])
def test_it_shows_columns_target_and_splits(
    target: str, heading: str, width: int, scheme: str, opened: Any, table: Path
) -> None:
    dataset = load_dataset(DataRequest(str(table), target=target))
    page, trouble = opened(data_page(dataset), width, scheme)
    assert trouble == []
    assert page.inner_text(".decision strong") == heading
    text = page.inner_text("body")
    assert HOSTILE in text
    assert "constant" in page.inner_text("table >> nth=1")
    for name, split in dataset.splits.items():
        assert f"{len(split):,}\n{name} rows" in text
    assert page.locator("svg").get_attribute("aria-label")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate(LOWEST_CONTRAST) >= 4.5  # WCAG 2.1, level AA


def test_images_have_a_page_too(opened: Any, digits: Dataset) -> None:
    page, trouble = opened(data_page(digits))
    assert trouble == []
    assert "64\npixels to learn from" in page.inner_text("body")


def test_the_terminal_says_the_same(table: Path) -> None:
    dataset = load_dataset(DataRequest(str(table), target="sold"))
    output = io.StringIO()
    print_data(dataset, Console(file=output, highlight=False))
    said = output.getvalue()
    assert "2026-01-01 to 2026-10-27" in said
    assert "Left out: constant" in said
    assert "positive class yes" in said
    assert f"no {(table.read_text().count(',no')):,}, yes {(table.read_text().count(',yes')):,}" in said
