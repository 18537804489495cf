"""drift.html in a real browser."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from steps.datasets import Dataset
from steps.datasets.drift.rows import RowCounts
from steps.datasets.interface import Interface
from steps.report.drift.page import drift_page
from tests.datasets.drift.test_comparison import customers, dataset_of
from tests.report.contrast import LOWEST_CONTRAST

HOSTILE = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return dataset_of(customers(1000, seed=0))


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    frame = customers(800, seed=1)
    frame["tenure"] += 30
    frame["since"] += pd.Timedelta(400, "D")
    return frame.assign(plan=frame["plan"].where(np.arange(800) % 5 > 0, HOSTILE))


def page_of(dataset: Dataset, frame: pd.DataFrame) -> str:
    assert dataset.profile is not None
    counts = RowCounts(dataset.profile, Interface.of(dataset))
    counts.add(pa.Table.from_pandas(frame, preserve_index=False))
    return drift_page(counts.drifts(), "columns", "Rows for customers-mlp/1", counts.n_rows, counts.n_training)


@pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (1400, "light")])
def test_it_shows_the_columns_that_differ(
    width: int, scheme: str, opened: Any, dataset: Dataset, rows: pd.DataFrame
) -> None:
    page, trouble = opened(page_of(dataset, rows), width, scheme)
    assert trouble == []
    assert page.inner_text(".decision strong") == "3 of 9 columns differ from the training data"
    assert page.inner_text(".numbers").split("\n")[0] == "800"
    names = page.locator(".scroll td.name").all_inner_texts()
    assert len(names) == 9
    assert set(page.locator("figure h3").all_inner_texts()) == set(names[:3]) == {"tenure", "since", "plan"}
    assert f'unseen levels such as "{HOSTILE}"' in page.inner_text("body")
    parts = page.locator("figure", has_text="above 7").first.locator("tbody tr").all_inner_texts()
    assert sum(float(part.split("\t")[1].removesuffix(" %")) for part in parts) == pytest.approx(100, abs=6)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate(LOWEST_CONTRAST) >= 4.5  # WCAG 2.1, level AA


def test_rows_like_the_training_rows_have_a_page_that_says_so(opened: Any, dataset: Dataset) -> None:
    page, trouble = opened(page_of(dataset, customers(800, seed=1)))
    assert trouble == []
    assert page.inner_text(".decision strong") == "None of 9 columns differ from the training data"
    assert page.locator("figure").count() == 0
