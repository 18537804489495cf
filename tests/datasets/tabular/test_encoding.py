"""Raw rows as numbers: layout, values, and the same bits from every kind of table."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from steps.datasets.tabular.encoding import Encoding
from steps.datasets.tabular.errors import SchemaError
from steps.datasets.tabular.schema import Column, Schema
from steps.datasets.tabular.values import Fault

TOWNS = tuple(f"town {i:02d}" for i in range(12))
SCHEMA = Schema(
    (
        Column("size", "number", n_missing=1),
        Column("new", "boolean"),
        Column("side", "category", levels=("left", "right")),
        Column("colour", "category", n_missing=1, levels=("blue", "green", "red")),
        Column("town", "category", levels=TOWNS),
        Column("month", "category", levels=tuple(map(str, range(1, 13)))),
        Column("since", "date", n_missing=1, parts=("month", "weekday", "hour")),
    )
)
ROWS = pd.DataFrame(
    {
        "size": [1.0, 2.0, 3.0, 4.0, 5.0, None],
        "new": [True, False, True, False, True, False],
        "side": ["left", "right", "left", "right", "left", "right"],
        "colour": ["red", "green", "red", None, "red", "red"],
        "town": ["town 03", "town 03", "town 07", "town 07", "town 00", "town 03"],
        "month": [1, 1, 12, 12, 12, 12],
        "since": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", None]),
    }
)
ENCODING = Encoding.fit(SCHEMA, ROWS)


def encoded(**cells: Any) -> dict[str, float]:
    """One row, otherwise like the third, by the names of its features."""
    row = {**ROWS.iloc[2].to_dict(), **cells}
    return dict(zip(ENCODING.names, ENCODING.encode(pd.DataFrame([row]))[0].tolist(), strict=True))


def test_dense_features_come_first_and_each_has_a_name() -> None:
    assert ENCODING.names == (
        "size", "size missing", "new", "side", "colour=blue", "colour=green", "colour=red", "colour missing",
        "since month sine", "since month cosine", "since weekday sine", "since weekday cosine", "since hour sine",
        "since hour cosine", "since", "since missing", "town", "month",
    )  # fmt: skip
    assert (ENCODING.n_dense, ENCODING.level_counts, ENCODING.n_levels) == (16, (13, 13), 26)


@pytest.mark.parametrize(
    ("cells", "features"),
    [
        ({"size": 3.0}, {"size": 0, "size missing": 0}),
        ({"size": 5.0}, {"size": 1 / np.sqrt(1 + 1 / 9)}),
        ({"size": 3e38}, {"size": 3}),
        ({"size": None}, {"size": 0, "size missing": 1}),
        ({"new": "no"}, {"new": -1}),
        ({"new": "Yes"}, {"new": 1}),
        ({"new": None}, {"new": 0}),
        ({"side": "left"}, {"side": -1}),
        ({"side": "right"}, {"side": 1}),
        ({"side": "above"}, {"side": 0}),
        ({"colour": "red"}, {"colour=red": 1, "colour=green": 0, "colour missing": 0}),
        ({"colour": "?"}, {"colour=red": 0, "colour missing": 1}),
        ({"colour": "pink"}, {"colour=red": 0, "colour=green": 0, "colour missing": 0}),
        ({"colour": "blue"}, {"colour=blue": 0}),  # unseen in training
        ({"town": "town 07"}, {"town": 8}),
        ({"town": "town 00"}, {"town": 0}),  # once in training
        ({"town": None, "month": "01"}, {"town": 0, "month": 13 + 1}),
        ({"month": 12.0}, {"month": 13 + 12}),
        ({"month": 99}, {"month": 13}),
        ({"since": "2024-01-03"}, {"since": 0, "since hour sine": 0, "since hour cosine": 1}),
        ({"since": "2024-01-01T06:00"}, {"since weekday sine": 0, "since weekday cosine": 1, "since hour sine": 1}),
        ({"since": "2024-07-01"}, {"since month sine": 0, "since month cosine": -1}),
        ({"since": None}, {"since": 0, "since missing": 1, "since month cosine": 0}),
    ],
)
def test_a_cell_is_encoded_by_its_kind(cells: dict[str, Any], features: dict[str, float]) -> None:
    row = encoded(**cells)
    assert {name: row[name] for name in features} == pytest.approx(features, abs=1e-6)


def test_parts_of_a_date_are_those_of_clocks_in_its_zone() -> None:
    column = Column("at", "date", zone="America/New_York", parts=("hour",))
    rows = pd.DataFrame({"at": pd.to_datetime(["2024-07-01T10:00Z", "2024-01-01T11:00Z"])})
    features = Encoding.fit(Schema((column,)), rows).encode(rows)
    assert features[:, 0].tolist() == pytest.approx([1, 1])  # six in the morning, in summer and in winter


@pytest.mark.parametrize(
    "convert",
    [
        lambda frame: frame[frame.columns[::-1]].assign(more="text"),
        lambda frame: frame.set_index(pd.Index([3, 3, 5, 1, 0, -1])),
        lambda frame: frame.astype(object),
        lambda frame: frame.astype(dict.fromkeys(["side", "colour", "town", "month"], "category")),
        lambda frame: frame.convert_dtypes(),
        lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
        lambda frame: frame.assign(since=frame["since"].dt.tz_localize("UTC")),
        lambda frame: frame.assign(since=frame["since"].astype(str)),
        lambda frame: frame.astype(str),
        lambda frame: pd.concat([frame] * 20),
        lambda frame: pa.Table.from_pandas(frame),
        lambda frame: pa.Table.from_pandas(pd.concat([frame] * 20)),
        lambda frame: pa.Table.from_pandas(frame).to_batches()[0],
    ],
)
def test_the_same_rows_give_the_same_bits_from_every_kind_of_table(convert: Callable[[pd.DataFrame], Any]) -> None:
    expected = ENCODING.encode(ROWS)
    features = ENCODING.encode(convert(ROWS))
    assert (features.reshape(-1, *expected.shape) == expected).all()


def test_each_row_is_encoded_alone() -> None:
    one_by_one = [ENCODING.encode(ROWS.iloc[i : i + 1])[0] for i in range(len(ROWS))]
    assert (np.array(one_by_one) == ENCODING.encode(ROWS)).all()


def test_rows_beyond_the_first_chunk_are_encoded_and_named_too() -> None:
    column = Column("x", "number")
    numbers = np.arange(150_000.0)
    encoding = Encoding.fit(Schema((column,)), pa.table({"x": numbers}))
    features = encoding.encode(pa.table({"x": numbers}))[:, 0]
    assert (np.diff(features) >= 0).all()
    assert (features[0], features[-1]) == pytest.approx((-0.9487, 0.9487), abs=1e-3)
    texts = [*map(str, range(140_000)), "word"]
    with pytest.raises(SchemaError, match=r"column 'x' .* got 'word' in row 140001"):
        encoding.encode(pa.table({"x": texts}))


def test_an_encoding_encodes_to_the_same_bits_after_json() -> None:
    again = Encoding.from_json(json.loads(json.dumps(ENCODING.to_json())))
    assert (again.encode(ROWS) == ENCODING.encode(ROWS)).all()
    assert again.names == ENCODING.names


def test_the_layout_is_the_same_whatever_rows_it_is_fitted_on() -> None:
    assert Encoding.fit(SCHEMA, ROWS.iloc[:1]).names == ENCODING.names


def test_a_constant_and_an_empty_column_of_training_rows_are_encoded() -> None:
    schema = Schema((Column("same", "number"), Column("none", "number", n_missing=2)))
    rows = pd.DataFrame({"same": [2.0, 2.0], "none": [None, None]})
    features = Encoding.fit(schema, rows).encode(rows.assign(none=[None, 1.0]))
    assert features.tolist() == [[0, 0, 1], [0, pytest.approx(1 / np.sqrt(1 + 1 / 9)), 0]]


def test_cells_that_are_no_value_are_listed_if_asked_for_and_count_as_missing() -> None:
    faults: list[Fault] = []
    features = ENCODING.encode(ROWS.assign(size=["1", "x", "3", "4", "inf", None]), faults)
    assert [str(fault) for fault in faults] == [
        "column 'size' must be a number within ±3e+38, got 'x' in row 2",
        "column 'size' must be a number within ±3e+38, got 'inf' in row 5",
    ]
    assert features[:, 1].tolist() == [0, 1, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS.rename(columns={"size": "Size "}), "column 'size' is missing; did you mean 'Size '?"),
        (ROWS[["size"]], "column 'new' is missing; there are size"),
        (ROWS.rename(columns={"new": "size"}), "column 'size' occurs twice; give each column a name of its own"),
    ],
)
def test_rows_with_other_columns_are_refused(rows: pd.DataFrame, message: str) -> None:
    with pytest.raises(SchemaError) as raised:
        ENCODING.encode(rows)
    assert str(raised.value) == message


def test_a_table_without_rows_has_no_features() -> None:
    assert ENCODING.encode(ROWS.iloc[:0]).shape == (0, 18)
