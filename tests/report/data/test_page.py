"""data.html in a real browser, and the same on the terminal."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from rich.console import Console

from steps.datasets import Dataset
from steps.datasets.loading import load_dataset
from steps.datasets.overview.overview import overview_of
from steps.datasets.request import DataRequest
from steps.datasets.sources.source import TableSource
from steps.datasets.tables import table_as_dataset
from steps.report.data.page import data_page
from steps.report.data.terminal import print_data
from tests.report.contrast import LOWEST_CONTRAST

HOSTILE = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng, n = np.random.default_rng(0), 1500
    return pd.DataFrame(
        {
            HOSTILE: rng.choice(["a", HOSTILE, "c"], n),
            "booked": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D"),
            "size": np.where(rng.random(n) < 0.1, np.nan, rng.normal(20, 5, n).round(2)),
            "beds": rng.integers(1, 4, n),
            "constant": 1,
            "price": rng.lognormal(4, 0.5, n).round(2),
            "sold": rng.choice(["yes", "no"], n, p=[0.3, 0.7]),
        }
    )


@pytest.fixture(scope="module")
def table(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "rooms.csv"
    frame.to_csv(path, index=False)
    return path


def in_memory(frame: pd.DataFrame, **request: Any) -> Dataset:
    source = TableSource(pa.Table.from_pandas(frame, preserve_index=False), "made up", "made up", "")
    return table_as_dataset(source, None, DataRequest("made up", **request))


def printed(dataset: Dataset) -> str:
    output = io.StringIO()
    print_data(dataset, overview_of(dataset), Console(file=output, highlight=False))
    return output.getvalue()


@pytest.mark.parametrize(("target", "heading"), [("price", "Regression of price"), ("sold", "Classification of sold")])
@pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (1400, "light")])
def test_it_shows_columns_target_and_splits(
    target: str, heading: str, width: int, scheme: str, opened: Any, table: Path
) -> None:
    dataset = load_dataset(DataRequest(str(table), target=target))
    page, trouble = opened(data_page(dataset, overview_of(dataset)), width, scheme)
    assert trouble == []
    assert page.inner_text(".decision strong") == heading
    text = page.inner_text("body")
    assert HOSTILE in text
    assert "constant" in page.inner_text("table")
    for name, split in dataset.splits.items():
        assert f"{len(split):,}\n{name} rows" in text
    assert all(svg.get_attribute("aria-label") for svg in page.locator("svg").all())
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate(LOWEST_CONTRAST) >= 4.5  # WCAG 2.1, level AA


def test_its_numbers_are_those_of_the_rows_outside_the_test_split(opened: Any, frame: pd.DataFrame) -> None:
    parts = np.repeat(["train", "validation", "test"], 500)
    dataset = in_memory(frame.assign(part=parts), target="sold", split_column="part")
    page, _ = opened(data_page(dataset, overview_of(dataset)))
    shown = frame[:1000]
    about = {name: page.locator(".column", has=page.locator("h3", has_text=name)) for name in ("size", "beds", HOSTILE)}
    size = about["size"].locator("dl").inner_text()
    n_missing = shown["size"].isna().sum()
    assert f"{n_missing} ({n_missing / 10:.0f} %)" in size
    assert f"{shown['size'].nunique()}, e.g." in size
    assert f"{shown['size'].median():g}" in size
    assert f"{shown['size'].min():g} to {shown['size'].max():g}" in size.replace("\n", " ")
    assert about["beds"].locator("svg").get_attribute("aria-label") == "Histogram of beds, 1 to 3"
    shares = shown[HOSTILE].value_counts() / len(shown)
    levels = [level.split("\n") for level in about[HOSTILE].locator("li").all_inner_texts()]
    assert levels == [[word, f"{100 * share:.0f} %"] for word, share in shares.items()]
    assert "1,000 rows: all except those of the test split" in page.inner_text("body")


def test_a_difference_between_the_splits_is_a_warning_on_the_page_and_on_the_terminal(
    opened: Any, frame: pd.DataFrame
) -> None:
    assert "Warning" not in printed(in_memory(frame, target="sold", time_column="booked"))
    drifted = frame.sort_values("booked")
    drifted["size"] += 20 * (np.arange(len(frame)) >= 0.8 * len(frame))
    dataset = in_memory(drifted, target="sold", time_column="booked")
    page, _ = opened(data_page(dataset, overview_of(dataset)))
    first, second = page.locator(".findings .bad").all_inner_texts()
    assert "the splits differ, most in column 'size'; expected with time_column" in first
    expected = "The test rows are unlike the training rows in 1 column, by more than chance: 'size' (distance "
    assert second.startswith(expected)
    assert page.locator(".column .far").count() == 1
    said = printed(dataset)
    assert "Warning: A classifier tells test rows from training rows" in said
    assert f"Warning: {expected}" in said


def test_a_table_of_3000_columns_has_a_page_that_is_small_enough(opened: Any, frame: pd.DataFrame) -> None:
    dataset = in_memory(frame, target="sold")
    overview = overview_of(dataset)
    many = [
        replace(item, column=replace(item.column, name=f"{item.column.name} number {i}"))
        for i in range(750)
        for item in overview.columns[1:]
    ]
    html = data_page(dataset, replace(overview, columns=tuple(many)))
    assert len(html.encode()) < 5_000_000
    page, trouble = opened(html, 400)
    assert trouble == []
    assert page.locator(".column").count() == 200
    assert page.locator(".rest tbody tr").count() == 2800
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_images_have_a_page_too(opened: Any, digits: Dataset) -> None:
    page, trouble = opened(data_page(digits, overview_of(digits)))
    assert trouble == []
    assert "64\npixels to learn from" in page.inner_text("body")
    assert page.locator("svg[aria-label^='Histogram of brightness']").count() == 1


def test_it_can_be_printed(opened: Any, table: Path) -> None:
    dataset = load_dataset(DataRequest(str(table), target="sold"))
    page, _ = opened(data_page(dataset, overview_of(dataset)), 800, "dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_the_terminal_says_the_same(table: Path) -> None:
    said = printed(load_dataset(DataRequest(str(table), target="sold")))
    assert "2026-01-01 to 2026-10-27" in said
    assert "Left out: constant" in said
    assert "positive class yes" in said
    assert f"no {(table.read_text().count(',no')):,}, yes {(table.read_text().count(',yes')):,}" in said
    assert "the splits are alike" in said
