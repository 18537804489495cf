"""Parquet and Feather files, and Parquet folders."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from steps.base.errors import InputError
from steps.datasets.sources import TableSource, open_source


def read(path: Path) -> TableSource:
    source = open_source(str(path))
    assert isinstance(source, TableSource)
    return source


def frame() -> pd.DataFrame:
    return pd.DataFrame({"n": [1, 2, 3], "x": [0.5, None, 2.0], "word": ["a", "NA", " b "], "zip": ["01067", "1", "2"]})


EXPECTED = {"n": [1, 2, 3], "x": [0.5, None, 2.0], "word": ["a", None, "b"], "zip": ["01067", "1", "2"]}


@pytest.mark.parametrize("name", ["rows.parquet", "rows.pq", "rows.feather", "rows.arrow"])
def test_files_of_pandas_are_read_and_text_stays_text(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    (frame().to_parquet if name.startswith("rows.p") else frame().to_feather)(path)
    assert read(path).table.to_pydict() == EXPECTED
    assert read(path).name == "rows"


def test_types_of_arrow_become_few(tmp_path: Path) -> None:
    table = pa.table(
        {
            "words": pa.array(["a", "b", "a"]).dictionary_encode(),
            "codes": pa.array([10, 20, 10]).dictionary_encode(),
            "large": pa.array(["a", "?", "c"], pa.large_string()),
            "view": pa.array(["a", "b", "c"], pa.string_view()),
            "decimal": pa.array([Decimal("1.50"), None, Decimal("2.25")]),
            "half": pa.array([1.5, None, 2], pa.float16()),
            "flags": pa.array([True, False, None]).dictionary_encode(),
            "small": pa.array([1, None, 3], pa.int8()),
        }
    )
    feather.write_feather(table, tmp_path / "rows.feather")
    found = read(tmp_path / "rows.feather").table
    assert found.to_pydict() == {
        "words": ["a", "b", "a"], "codes": ["10", "20", "10"], "large": ["a", None, "c"], "view": ["a", "b", "c"],
        "decimal": [1.5, None, 2.25], "half": [1.5, None, 2.0], "flags": [True, False, None], "small": [1, None, 3],
    }  # fmt: skip
    assert {str(type_) for type_ in found.schema.types} == {"string", "double", "halffloat", "bool", "int8"}


@pytest.mark.parametrize("name", ["rows.parquet", "rows.feather"])
def test_categories_of_pandas_are_words(name: str, tmp_path: Path) -> None:
    categories = pd.DataFrame({"month": pd.Categorical([1, 12, None]), "word": pd.Categorical(["a", "b", "a"])})
    (categories.to_parquet if name == "rows.parquet" else categories.to_feather)(tmp_path / name)
    assert read(tmp_path / name).table.to_pydict() == {"month": ["1", "12", None], "word": ["a", "b", "a"]}


def test_the_index_of_pandas_is_left_out_unless_it_has_a_name(tmp_path: Path) -> None:
    frame().iloc[[2, 0, 1]].to_parquet(tmp_path / "rows.parquet")
    source = read(tmp_path / "rows.parquet")
    assert source.table["n"].to_pylist() == [3, 1, 2]
    assert "__index_level_0__" not in source.table.column_names
    assert source.notes == ("The pandas index is left out.",)
    frame().set_index("zip").to_parquet(tmp_path / "rows.parquet")
    assert "zip" in read(tmp_path / "rows.parquet").table.column_names


def test_a_folder_of_spark_is_one_table(tmp_path: Path) -> None:
    folder = tmp_path / "sales data"
    folder.mkdir()
    for i in range(3):
        pq.write_table(pa.table({"a": [i], "b": [f"x{i}"]}), folder / f"part-0000{i}.snappy.parquet")
    (folder / "_SUCCESS").touch()
    (folder / "_metadata").write_bytes(b"not looked at")
    (folder / ".part-00000.snappy.parquet.crc").write_bytes(b"crc")
    source = read(folder)
    assert source.table.to_pydict() == {"a": [0, 1, 2], "b": ["x0", "x1", "x2"]}
    assert source.name == "sales-data"


def test_names_of_folders_are_columns_of_text_or_numbers(tmp_path: Path) -> None:
    table = pa.table({"x": [1.0, 2.0, 3.0], "year": [2023, 2024, 2024], "zip": ["01067", "01067", None]})
    partitioning = ds.partitioning(pa.schema([("year", pa.int64()), ("zip", pa.string())]), flavor="hive")
    ds.write_dataset(table, tmp_path / "rows", format="parquet", partitioning=partitioning)
    found = read(tmp_path / "rows").table.sort_by("x")
    assert found.to_pydict() == table.to_pydict()


def test_the_digest_tells_content_and_names_of_files(tmp_path: Path) -> None:
    frame().to_parquet(tmp_path / "a.parquet")
    first = read(tmp_path / "a.parquet").sha256
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.parquet").rename(tmp_path / "folder" / "b.parquet")
    assert read(tmp_path / "folder" / "b.parquet").sha256 == first
    folder = read(tmp_path / "folder").sha256
    (tmp_path / "folder" / "b.parquet").rename(tmp_path / "folder" / "c.parquet")
    assert len({first, folder, read(tmp_path / "folder").sha256}) == 3


def test_files_of_a_folder_may_differ_in_the_width_of_numbers_only(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    pq.write_table(pa.table({"a": pa.array([1], pa.int32()), "b": [1]}), tmp_path / "rows" / "1.parquet")
    pq.write_table(pa.table({"b": [2.5], "a": pa.array([2], pa.int64())}), tmp_path / "rows" / "2.parquet")
    assert read(tmp_path / "rows").table.to_pydict() == {"a": [1, 2], "b": [1.0, 2.5]}
    pq.write_table(pa.table({"b": ["x"], "a": [3]}), tmp_path / "rows" / "3.parquet")
    with pytest.raises(InputError, match=r"got int64 and string in column 'b' of '.*1.parquet' and '.*3.parquet'"):
        read(tmp_path / "rows")


def test_large_columns_are_read_whole(tmp_path: Path) -> None:
    x = np.arange(300_000)
    feather.write_feather(pd.DataFrame({"x": x, "word": x.astype(str)}), tmp_path / "rows.feather", chunksize=1000)
    found = read(tmp_path / "rows.feather").table
    assert found["x"].to_pylist() == x.tolist()
    assert found["word"].to_pylist()[-1] == "299999"
