"""Two known tables with what goes wrong in practice planted in them: each is said, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from steps.datasets.overview.discrimination import Discrimination
from steps.datasets.overview.overview import overview_of
from steps.datasets.request import DataRequest
from steps.datasets.sources.bundled import load_bundled
from steps.datasets.sources.source import TableSource
from steps.datasets.tables import table_as_dataset
from steps.report.data.findings import findings, split_findings

COLUMNS = {"breast_cancer": "mean radius", "diabetes": "bmi"}  # one to plant a drift in


def bundled(name: str) -> tuple[pd.DataFrame, str]:
    """The rows in another order, and the target."""
    source = load_bundled(name)
    return source.table.to_pandas().sample(frac=1, random_state=0, ignore_index=True), source.target


def said(frame: pd.DataFrame, target: str, **request: Any) -> tuple[list[str], list[str]]:
    """The warnings, and the other findings."""
    source = TableSource(pa.Table.from_pandas(frame, preserve_index=False), "known", "known", "")
    dataset = table_as_dataset(source, None, DataRequest("known", target, **request))
    found = findings(dataset, overview_of(dataset))
    return [f.text for f in found if f.is_warning], [f.text for f in found if not f.is_warning]


def measured_again(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The rows with a little noise in each number."""
    numbers = frame.select_dtypes("float").columns
    noise = 1 + 1e-4 * np.random.default_rng(seed).normal(size=(len(frame), len(numbers)))
    return frame.assign(**(frame[numbers] * noise))


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_table_as_it_is_has_no_warning(name: str, seed: int) -> None:
    frame, target = bundled(name)
    warnings, others = said(frame.sample(frac=1, random_state=seed, ignore_index=True), target)
    assert warnings == []
    assert others[0].endswith("the splits are alike")
    assert others[1] == "No column is different in the splits by more than chance"
    assert others[2].startswith("No two of the")


@pytest.mark.parametrize("name", COLUMNS)
def test_a_planted_leak_is_said(name: str) -> None:
    frame, target = bundled(name)
    codes, _ = pd.factorize(frame[target], sort=True)
    warnings, _ = said(frame.assign(result=1.5 * codes + 3), target)
    assert len(warnings) == 1
    assert warnings[0].startswith(("column 'result' alone explains 100.0%", "column 'result' alone explains 99.9%"))


@pytest.mark.parametrize("name", COLUMNS)
def test_planted_copies_across_the_splits_are_said(name: str) -> None:
    frame, target = bundled(name)
    frame = measured_again(frame, seed=0)
    twins = measured_again(frame[:100], seed=1)
    parts = np.repeat(["train", "test"], [len(frame), 100])
    warnings, _ = said(pd.concat([frame, twins]).assign(part=parts), target, split_column="part")
    assert len(warnings) == 1
    assert "test rows, " in warnings[0]
    assert "nearly equal one of" in warnings[0]
    assert warnings[0].endswith("if they are copies, the test score is too good")


@pytest.mark.parametrize("name", COLUMNS)
def test_a_planted_drift_in_time_is_said(name: str) -> None:
    frame, target = bundled(name)
    column = COLUMNS[name]
    late = np.arange(len(frame)) >= 0.8 * len(frame)
    frame[column] = frame[column] + 2 * frame[column].std() * late
    warnings, _ = said(frame.assign(day=np.arange(len(frame))), target, time_column="day")
    assert len(warnings) == 2
    assert warnings[0].endswith(f"the splits differ, most in column {column!r}; expected with time_column")
    assert warnings[1].startswith(
        f"The test rows are unlike the training rows in 1 column, by more than chance: {column!r} (distance 0."
    )


@pytest.mark.parametrize(("auc", "said"), [(0.35, "no better than a guess with 0.5"), (0.52, "a guess has 0.5")])
def test_an_area_below_a_half_is_no_better_than_a_guess(auc: float, said: str) -> None:
    frame, target = bundled("iris")
    source = TableSource(pa.Table.from_pandas(frame, preserve_index=False), "known", "known", "")
    dataset = table_as_dataset(source, None, DataRequest("known", target))
    alike = replace(overview_of(dataset), discrimination=Discrimination(auc, 120, 30, 4, is_far=False))
    first, *_ = split_findings(dataset, alike)
    assert f"(ROC AUC {auc:.2f}, {said}): the splits are alike" in first.text
