from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from steps.base.errors import InputError
from steps.datasets.outputs import PredictionWriter, check_output
from steps.datasets.rows import Chunk
from steps.datasets.tabular.interval import PredictionInterval
from steps.datasets.tabular.sets import PredictionSets
from steps.datasets.tabular.target import Target

DIGITS = Target("classification", class_names=("0", "1"))
PROBABILITIES = np.array([[0.25, 0.75], [1, 0]], np.float32)


@dataclass
class NoRows:
    """An input by its keys alone."""

    key: str
    key_type: pa.DataType
    size: int = 0

    def __iter__(self) -> Iterator[Chunk]:
        return iter(())


@pytest.mark.parametrize(
    ("suffix", "key", "keys"),
    [(".csv", "row", [1, 3]), (".parquet", "file", ["a.png", "b.png"]), (".csv", "since", [date(2026, 1, 2), None])],
)
def test_chunks_become_one_table(suffix: str, key: str, keys: list[int | str], tmp_path: Path) -> None:
    path, values = tmp_path / f"out{suffix}", pa.array(keys)
    with PredictionWriter(path, NoRows(key, values.type), DIGITS) as writer:
        for i in range(2):
            writer.write(values[i : i + 1], PROBABILITIES[i : i + 1])
    read = pa.csv.read_csv if suffix == ".csv" else pq.read_table
    table = read(path)
    assert table.column_names == [key, "predicted", "probability_0", "probability_1"]
    assert table[key].to_pylist() == keys
    assert list(map(str, table["predicted"].to_pylist())) == ["1", "0"]
    np.testing.assert_allclose(table.to_pandas().iloc[:, 2:].to_numpy(), PROBABILITIES)
    assert list(tmp_path.iterdir()) == [path]


def test_a_set_is_an_array_of_names_in_one_cell(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    target = Target("classification", class_names=('a "b"', "c"), sets=PredictionSets((0.4,)))
    with PredictionWriter(path, NoRows("row", pa.int64()), target, level=0.5) as writer:
        writer.write(pa.array([1, 2]), np.array([[0.45, 0.55], [0.9, 0.1]], np.float32))
    table = pa.csv.read_csv(path)
    assert table.column_names == ["row", "predicted", 'probability_a "b"', "probability_c", "prediction_set"]
    assert [json.loads(cell) for cell in table["prediction_set"].to_pylist()] == [['a "b"', "c"], ['a "b"']]


def test_numbers_have_one_column(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with PredictionWriter(path, NoRows("row", pa.int64()), Target("regression", "price")) as writer:
        writer.write(pa.array([1, 2]), np.array([[0.1], [123456.7]], np.float32))
    assert path.read_text().splitlines() == ['"row","predicted"', "1,0.1", "2,123456.7"]


def test_numbers_have_the_ends_of_their_intervals(tmp_path: Path) -> None:
    path, interval = tmp_path / "out.csv", PredictionInterval(2.0, least=0.0)
    with PredictionWriter(path, NoRows("row", pa.int64()), Target("regression", "price"), interval) as writer:
        writer.write(pa.array([1, 2]), np.array([[1.5], [10]], np.float32))
    assert path.read_text().splitlines() == ['"row","predicted","low","high"', "1,1.5,0,3.5", "2,10,8,12"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")
    with pytest.raises(pa.ArrowException), PredictionWriter(path, NoRows("row", pa.int64()), DIGITS) as writer:
        writer.write(pa.array(["no number"]), PROBABILITIES[:1])
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out.txt", "output must be a .csv or .parquet file, got"),
        ("", "output must be a .csv or .parquet file, got ''"),
        ("nowhere/out.csv", "output must be in a folder that exists"),
        ("there.csv", "output must not exist"),
        ("folder.csv", "output must be a file, got the folder"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "there.csv").touch()
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=message):
        check_output(str(tmp_path / name) if name else "", overwrite=False)
    assert check_output(str(tmp_path / "there.csv"), overwrite=True).exists()
