from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from steps.datasets.tabular.schema import Column
from steps.tasks.dependence import MAX_ROWS, partial_dependences

PLAN = Column("plan", "category", levels=("basic", "pro"))


@pytest.fixture
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pa.table(
        {
            "size": [None, *rng.uniform(0, 10, 399).tolist()],
            "plan": rng.choice(["basic", "pro"], 400, p=[0.7, 0.3]).tolist(),
            "since": pd.date_range("2024-01-01", periods=400).to_list(),
            "same": [1.0] * 400,
        }
    )
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def price(given: pd.DataFrame) -> Mapping[str, np.ndarray]:
    """3 per unit of size, 50 more for the plan `pro`."""
    size = given["size"].to_numpy(float, na_value=0.0)
    return {"price": 3 * size + 50 * (given["plan"] == "pro").to_numpy(float)}


def test_a_number_has_the_slope_of_the_model(rows: pd.DataFrame) -> None:
    (found,) = partial_dependences(price, rows, [Column("size", "number")], seed=0)
    (curve,) = found.curves
    assert list(found.places) == sorted(found.places)
    assert set(found.places) <= set(rows["size"].dropna())
    assert np.diff(curve.mean) == pytest.approx(3 * np.diff(found.places))
    assert np.subtract(curve.high, curve.low) == pytest.approx(50)  # of the two plans


def test_levels_come_by_their_frequency(rows: pd.DataFrame) -> None:
    (found,) = partial_dependences(price, rows, [PLAN], seed=0)
    assert found.levels == ("basic", "pro")
    basic, pro = found.curves[0].mean
    assert pro - basic == pytest.approx(50)


def test_a_boolean_is_written_as_in_the_table(rows: pd.DataFrame) -> None:
    rows["paid"] = pd.array(["no", "no", "no", "yes"] * 100, dtype="string[pyarrow]")
    (found,) = partial_dependences(price, rows, [Column("paid", "boolean", levels=("no", "yes"))], seed=0)
    assert found.levels == ("no", "yes")


def test_dates_are_seconds_in_ascending_order(rows: pd.DataFrame) -> None:
    (found,) = partial_dependences(price, rows, [Column("since", "date")], seed=0)
    assert pd.Timestamp(found.places[0], unit="s").year == 2024
    assert list(found.places) == sorted(found.places)


def test_a_column_of_one_value_has_no_dependence(rows: pd.DataFrame) -> None:
    assert partial_dependences(price, rows, [Column("same", "number")], seed=0) == ()


def test_of_many_outputs_the_same_are_kept_for_each_column(rows: pd.DataFrame) -> None:
    def classes(given: pd.DataFrame) -> Mapping[str, np.ndarray]:
        is_pro, size = (given["plan"] == "pro").to_numpy(float), given["size"].to_numpy(float, na_value=0.0)
        return {f"class {i}": i * (size if i == 1 else is_pro) for i in range(8)}

    of_size, of_plan = partial_dependences(classes, rows, [Column("size", "number"), PLAN], seed=0)
    expected = [f"class {i}" for i in (1, 4, 5, 6, 7)]
    assert [curve.name for curve in of_size.curves] == expected
    assert [curve.name for curve in of_plan.curves] == expected


def test_the_given_rows_stay_as_they_are_and_few_are_predicted(rows: pd.DataFrame) -> None:
    before, n_given = rows.copy(), []

    def counted(given: pd.DataFrame) -> Mapping[str, np.ndarray]:
        n_given.append(len(given))
        return price(given)

    partial_dependences(counted, rows, [PLAN], seed=0)
    assert n_given == [2 * MAX_ROWS]
    pd.testing.assert_frame_equal(rows, before)
