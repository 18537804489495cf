from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa

from steps.datasets.tabular.schema import Column
from steps.tasks.weak_groups import MIN_ROWS, WeakGroup, weak_groups

COLUMNS = (
    Column("age", "number"),
    Column("plan", "category", levels=("basic", "pro", "max")),
    Column("since", "date"),
)


def table(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    ages = rng.uniform(18, 80, n).tolist()
    ages[0] = None
    columns = {
        "age": ages,
        "plan": rng.choice(["basic", "pro", "max"], n).tolist(),
        "since": pd.date_range("2020-01-01", periods=n).to_list(),
    }
    return pa.table(columns).to_pandas(types_mapper=pd.ArrowDtype)


def test_a_planted_group_is_found_with_its_conditions() -> None:
    rows, rng = table(1000, 0), np.random.default_rng(1)
    is_weak = (rows["plan"] == "pro").to_numpy(bool) & (rows["age"].to_numpy(float, na_value=0.0) > 50)
    errors = rng.exponential(1, 1000) * np.where(is_weak, 5, 1)
    first, *_ = weak_groups(rows, COLUMNS, errors, seed=0)
    assert "plan is pro" in first.rule
    assert "age > " in first.rule
    assert first.error > 3 * first.overall / 2
    assert 30 < first.n < 130


def test_dates_make_groups_too() -> None:
    rows, late = table(600, 0), np.arange(600) > 400
    errors = np.where(late, 3.0, 1.0) + np.random.default_rng(0).random(600)
    first, *_ = weak_groups(rows, COLUMNS[2:], errors, seed=0)
    assert first.rule.startswith("since > 2021-0")


def test_missing_cells_make_groups_too() -> None:
    rows, late = table(600, 0), np.arange(600) > 400
    rows["age"] = rows["age"].mask(late)
    first, *_ = weak_groups(rows, COLUMNS[:1], np.where(late, 3.0, 1.0), seed=0)
    assert first.rule == "age is missing"


def test_a_boolean_is_written_as_in_the_table_and_a_range_from_its_low_end() -> None:
    rows = table(1000, 0).assign(member=pa.array(["No", "Yes"] * 500).to_pandas(types_mapper=pd.ArrowDtype))
    member, age = Column("member", "boolean", levels=("No", "Yes")), COLUMNS[0]
    noise = np.random.default_rng(1).random(1000)
    first, *_ = weak_groups(rows, [member], noise + 3 * (rows["member"] == "Yes").to_numpy(bool), seed=0)
    assert first.rule == "member is Yes"
    ages = rows["age"].to_numpy(float, na_value=0.0)
    first, *_ = weak_groups(rows, [age], noise + 9 * ((ages > 40) & (ages < 50)), seed=0)
    assert re.fullmatch(r"age > \S+ and age ≤ \S+", first.rule)


def test_errors_without_a_pattern_have_no_group() -> None:
    found = [
        weak_groups(table(800, seed), COLUMNS, np.random.default_rng(seed).exponential(1, 800), seed)
        for seed in range(20)
    ]
    assert sum(map(bool, found)) <= 1


def test_few_rows_have_no_group() -> None:
    n = MIN_ROWS - 1
    assert weak_groups(table(n, 0), COLUMNS, np.arange(float(n)), seed=0) == ()


def test_a_group_in_words() -> None:
    group = WeakGroup("plan is pro", 1200, 0.31, 0.12)
    text = group.text(lambda value: f"{100 * value:.0f} % wrong")
    assert text == "plan is pro (1,200 rows in half of the test split): 31 % wrong, of all rows 12 % wrong"
