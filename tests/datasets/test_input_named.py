"""Raw rows of files for a model of a table: every format and dialect gives the same cells, by name."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from steps.base.errors import InputError
from steps.datasets.inputs import open_input
from steps.datasets.interface import Interface
from steps.datasets.parts import PART_ROWS
from steps.datasets.rows import Chunk
from steps.datasets.tabular.columns import Columns
from steps.datasets.tabular.encoding import Encoding
from steps.datasets.tabular.inference import infer
from steps.datasets.tabular.values import Fault

TRAINED = pa.table(
    {
        "age": [34.5, 21, None, 60] * 10,
        "town": ["Ulm", "Köln", "Bonn", None] * 10,
        "price": ["1.200,5", "3,0", "12,25", "1.100,0"] * 10,
        "since": ["2026-01-31", "2025-02-01", "2024-03-05", "2023-12-24"] * 10,
        "code": ["1.5", "2.5", "7", "1.5"] * 10,
        "churn": ["no", "yes", "no", "no"] * 10,
    }
)


def interface_of(table: pa.Table, target: str, **statements: tuple[str, ...]) -> Interface:
    from steps.datasets.request import DataRequest

    found = infer(table, target, DataRequest("", **statements).statements())  # type: ignore[arg-type]
    encoding = Encoding.fit(found.schema, table)
    columns = Columns(found.schema, found.labels.target, encoding)
    return Interface(columns.target, encoding.n_features, np.dtype("float32"), 1.0, None, columns=columns)


CUSTOMERS = interface_of(TRAINED, "churn", categorical_columns=("code",))


def rows(n: int = 6) -> pd.DataFrame:
    """Rows as people have them: other order, more columns, missing cells, an unseen level."""
    frame = TRAINED.slice(0, n).to_pandas().iloc[:, ::-1]
    frame.insert(2, "note", "a, b")
    frame["id"] = [f"c{i:03d}" for i in range(n)]
    frame.loc[1, "town"] = "Rome"
    return frame


def read(path: Path, key_column: str = "") -> Chunk:
    """All rows of an input as one chunk, without those whose cells are no values."""
    assert CUSTOMERS.columns is not None
    chunks = []
    for chunk in open_input(str(path), CUSTOMERS, key_column=key_column):
        faults: list[Fault] = []
        CUSTOMERS.columns.encoding.encode(chunk.given, faults)
        chunks.append(chunk.without(faults)[0])
    targets = [chunk.targets for chunk in chunks if chunk.targets is not None]
    return Chunk(
        names=[name for chunk in chunks for name in chunk.names],
        keys=pa.concat_arrays([chunk.keys for chunk in chunks]),
        given=pa.concat_tables([chunk.given for chunk in chunks]),
        targets=np.concatenate(targets) if targets else None,
        bad=[row for chunk in chunks for row in chunk.bad],
        position=chunks[-1].position,
    )


def encoded(table: pa.Table | pd.DataFrame) -> np.ndarray:
    assert CUSTOMERS.columns is not None
    return CUSTOMERS.columns.encoding.encode(table)


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "rows.csv": lambda frame, path: frame.to_csv(path, index=False),
    "semicolons.csv": lambda frame, path: frame.to_csv(path, index=False, sep=";", decimal=","),
    "tabs.tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t", lineterminator="\r\n"),
    "latin.csv": lambda frame, path: frame.to_csv(path, index=False, encoding="latin-1"),
    "excel.csv": lambda frame, path: frame.to_csv(path, index=False, sep=";", encoding="utf-16"),
    "mark.csv": lambda frame, path: frame.to_csv(path, index=False, encoding="utf-8-sig"),
    "rows.csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    "rows.parquet": lambda frame, path: frame.to_parquet(path),
    "categories.parquet": lambda frame, path: frame.astype({"town": "category"}).to_parquet(path),
    "rows.feather": lambda frame, path: frame.to_feather(path),
    "folder": lambda frame, path: frame.to_parquet(path, partition_cols=["churn"]),
    "rows.npz": lambda frame, path: np.savez(
        path, **{name: np.array(column.astype(object).fillna("").tolist()) for name, column in frame.items()}
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_and_dialect_gives_the_same_cells(name: str, tmp_path: Path) -> None:
    path, frame = tmp_path / name, rows()
    WRITERS[name](frame, path)
    found = read(path, key_column="id")
    order = [frame["id"].tolist().index(key) for key in found.keys.to_pylist()]
    assert sorted(order) == list(range(6))
    np.testing.assert_array_equal(encoded(found.given), encoded(frame)[order])
    assert found.targets is not None
    assert found.targets.tolist() == [[0, 1, 0, 0, 0, 1][i] for i in order]
    assert found.bad == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet", "rows.feather", "rows.npz"])
def test_many_rows_come_in_parts_and_keep_their_numbers(name: str, tmp_path: Path) -> None:
    n = 2 * PART_ROWS + 1
    frame = pd.concat([TRAINED.to_pandas()] * (n // 40 + 1))[:n].reset_index(drop=True)
    WRITERS[name](frame, tmp_path / name)
    opened = open_input(str(tmp_path / name), CUSTOMERS)
    sizes = [len(chunk.names) for chunk in opened]
    assert max(sizes) <= PART_ROWS
    found = read(tmp_path / name)
    assert list(found.names) == found.keys.to_pylist() == list(range(1, n + 1))
    assert found.position == opened.size
    np.testing.assert_array_equal(encoded(found.given.slice(n - 5)), encoded(frame.iloc[-5:]))


def test_each_bad_row_is_named_and_left_out(tmp_path: Path) -> None:
    lines = [
        "age,town,price,since,code,churn",
        "1,Ulm,\"1,5\",2026-01-31,1.5,no",
        "old,Ulm,\"1,5\",2026-01-31,1.5,no",
        "1,Ulm,\"1,5\"",
        "",
        "1,Ulm,\"1,5\",someday,1.5,no",
        "1,Ulm,\"1,5\",2026-01-31,1.5,perhaps",
        "1,Ulm,\"1,5\",2026-01-31,1.5,",
    ]  # fmt: skip
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    found = read(tmp_path / "rows.csv")
    assert found.names == [1, 6]
    assert found.targets is not None
    assert found.targets.tolist() == [0, -1]
    assert [(row.key, row.reason) for row in found.bad] == [
        (2, "column 'age' must be a number within ±3e+38, got 'old'"),
        (3, "must have 6 columns, got 3"),
        (4, "column 'since' must be a date as '2026-01-31', got 'someday'"),
        (5, "column 'churn' must hold classes of the target, got 'perhaps'"),
    ]


def test_rows_need_no_target(tmp_path: Path) -> None:
    rows().drop(columns="churn").to_csv(tmp_path / "rows.csv", index=False)
    assert read(tmp_path / "rows.csv").targets is None


def test_targets_that_are_numbers_are_read_and_those_that_are_none_are_named(tmp_path: Path) -> None:
    table = pa.table({"size": np.arange(100) / 7, "price": np.arange(100) * 1000.5})
    (tmp_path / "rows.csv").write_text("price,size\n1000.5,1\n,2\ncheap,3\n")
    (chunk,) = open_input(str(tmp_path / "rows.csv"), interface_of(table, "price"))
    assert chunk.targets is not None
    np.testing.assert_array_equal(chunk.targets, np.array([1000.5, np.nan], np.float32))
    assert [(row.key, row.reason) for row in chunk.bad] == [
        (3, "column 'price' must be a number within ±3e+38, got 'cheap'")
    ]


def test_a_key_keeps_the_type_that_the_file_gives_it(tmp_path: Path) -> None:
    frame = rows().assign(number=np.arange(6) + 2**60)
    frame.to_parquet(tmp_path / "rows.parquet")
    frame.to_csv(tmp_path / "rows.csv", index=False)
    assert read(tmp_path / "rows.parquet", "number").keys.to_pylist() == frame["number"].tolist()
    assert read(tmp_path / "rows.csv", "number").keys.to_pylist() == frame["number"].astype(str).tolist()


def damaged(path: Path) -> None:
    frame = pd.concat([rows()] * 10_000)
    frame["age"] = np.random.default_rng(0).normal(size=len(frame))
    frame.to_parquet(path, compression="gzip")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255  # in the random numbers
    path.write_bytes(content)


def test_a_missing_column_is_not_taken_for_one_that_the_model_knows(tmp_path: Path) -> None:
    table = pa.table({"age": np.arange(100) / 7, "cage": np.arange(100) % 9 / 7, "target": np.arange(100) * 1.5})
    (tmp_path / "rows.csv").write_text("cage,target\n1.5,2\n")
    with pytest.raises(InputError, match=r"no column 'age'$"):
        open_input(str(tmp_path / "rows.csv"), interface_of(table, "target"))


NOISE = np.random.default_rng(0).bytes(999).hex().encode()
WRONG: dict[str, tuple[str, Callable[[Path], object], str, str]] = {
    "missing": ("rows.csv", lambda _: None, "", "input must be a file that exists"),
    "pipe": ("rows.csv", os.mkfifo, "", "input must be a file that exists"),
    "format": ("rows.png", lambda path: path.touch(), "", "input must be a CSV, Parquet, Feather, .npz or .npy file"),
    "empty": ("rows.csv", lambda path: path.touch(), "", "input must be a file with rows"),
    "only names": ("rows.csv", lambda path: rows()[:0].to_csv(path, index=False), "", "which is empty"),
    "no rows": ("rows.parquet", lambda path: rows()[:0].to_parquet(path), "", "which is empty"),
    "no column": (
        "rows.csv", lambda path: rows().rename(columns={"town": "Town "}).to_csv(path, index=False), "",
        r"input must have the columns of the model, got '.*': no column 'town'; did you mean 'Town'\?",
    ),
    "twice": (
        "rows.csv", lambda path: path.write_text("age,age\n1,2\n"), "",
        "input must have columns of different names, got 'age' more than once",
    ),
    "key": (
        "rows.csv", lambda path: rows().to_csv(path, index=False), "ID",
        "key_column must be a column of the input, got 'ID'; did you mean 'id'",
    ),
    "key of the output": (
        "rows.csv", lambda path: rows().assign(predicted=1).to_csv(path, index=False), "predicted",
        "key_column must have another name than the columns of the output, got 'predicted'",
    ),
    "no parquet": ("rows.parquet", lambda path: path.write_text("x"), "", "input must be a Parquet file"),
    "no feather": ("rows.feather", lambda path: path.write_text("x"), "", "input must be a Feather file"),
    "no gzip": ("rows.csv.gz", lambda path: path.write_bytes(gzip.compress(NOISE)[:400]), "", "undamaged"),
    "no folder of tables": ("folder", lambda path: path.mkdir(), "", "input must be a folder of Parquet files"),
    "images": ("rows.npz", lambda path: np.savez(path, X=np.zeros((9, 3, 3), np.uint8), y=np.arange(9)), "", "a table"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_an_input_that_cannot_be_read_is_refused(case: str, tmp_path: Path) -> None:
    name, make, key, message = WRONG[case]
    make(tmp_path / name)
    with pytest.raises(InputError, match=message):
        open_input(str(tmp_path / name), CUSTOMERS, key_column=key)


def test_a_file_that_is_damaged_further_on_is_refused_there(tmp_path: Path) -> None:
    damaged(tmp_path / "rows.parquet")
    with pytest.raises(InputError, match="input must be an undamaged Parquet file"):
        list(open_input(str(tmp_path / "rows.parquet"), CUSTOMERS))


def test_parquet_files_of_a_folder_may_have_their_columns_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    frame = rows()
    pq.write_table(pa.Table.from_pandas(frame[:2]), tmp_path / "folder" / "a.parquet")
    pq.write_table(pa.Table.from_pandas(frame[2:].iloc[:, ::-1]), tmp_path / "folder" / "b.parquet")
    np.testing.assert_array_equal(encoded(read(tmp_path / "folder").given), encoded(frame))


def test_options_of_images_are_for_models_of_images(tmp_path: Path) -> None:
    rows().to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(InputError, match="invert must be false for a model that takes no images"):
        open_input(str(tmp_path / "rows.csv"), CUSTOMERS, invert=True)
    pixels = Interface(CUSTOMERS.target, 4, np.dtype("uint8"), 255.0, (2, 2))
    with pytest.raises(InputError, match="key_column must be empty for a model of images, got 'id'"):
        open_input(str(tmp_path / "rows.csv"), pixels, key_column="id")
