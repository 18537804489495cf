"""Sources that cannot be read: one line each, which names file, row or column."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from steps.base.errors import InputError
from steps.datasets.sources import open_source

Make = Callable[[Path], object]


def text(content: str | bytes) -> Make:
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode())


def npz(**arrays: object) -> Make:
    return lambda path: np.savez(path, **arrays)  # type: ignore[arg-type]


def npy(array: np.ndarray) -> Make:
    return lambda path: np.save(path, array)


def parquet(table: pa.Table) -> Make:
    return lambda path: pq.write_table(table, path)


def files(**contents: Make) -> Make:
    def make(folder: Path) -> None:
        folder.mkdir()
        for name, content in contents.items():
            content(folder / name.replace("__", "."))

    return make


def nothing(path: Path) -> None:
    """The path stays free."""


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-60])


def parquet_cut(path: Path) -> None:
    pq.write_table(pa.table({"a": range(1000)}), path)
    cut(path)


def delta(folder: Path) -> None:
    (folder / "_delta_log").mkdir(parents=True)
    pq.write_table(pa.table({"a": [1]}), folder / "part-0.parquet")


TWICE = pa.table([[1], [2]], names=["a", "a"])
OBJECTS = np.array([{}, {}])

BAD: dict[str, tuple[str, Make, str]] = {
    "nothing given": ("", nothing, r"got '', which does not exist"),
    "a file that is not there": ("rows.csv", nothing, r"got '.*rows.csv', which does not exist$"),
    "a typing mistake": (
        "custmers.csv", lambda p: text("a\n1\n")(p.with_name("customers.csv")), r"mean 'customers.csv'\?",
    ),
    "a name with a mistake": ("breast_cancr", nothing, r"did you mean 'breast_cancer'\?"),
    "a glob that matches nothing": ("*.csv", nothing, r"must match files that exist, got '.*\*.csv'"),
    "a folder that is empty": ("folder", Path.mkdir, r"or Parquet files, got '.*folder', which holds neither"),
    "another format": ("rows.json", text("{}"), r"'.*rows.json', a file of another format"),
    "an empty file": ("rows.csv", text(""), r"'.*rows.csv', which is empty"),
    "blank lines": ("rows.csv", text("\n  \n\n"), r"'.*rows.csv', which is empty"),
    "only a header": ("rows.csv", text("a,b\n"), r"'.*rows.csv', which has only a header"),
    "a name twice": ("rows.csv", text("a,b, a\n1,2,3\n"), r"got 'a' more than once in '.*rows.csv'; rename one"),
    "a short row": ("rows.csv", text("a,b\n1,2\n\n3,4\n5\n"), r"must have 2 cells in each row, .* row 3 has 1 \('5'\)"),
    "a long row": ("rows.csv", text('\na,b\n1,"2\n2"\n \n3,4,5\n'), r"row 2 has 3 \('3,4,5'\)"),
    "a long row far below": ("rows.csv", text("a,b\n" + "1,2\n" * 3_000_000 + "1,2,3\n"), r"row 3000001 has 3"),
    "a short row that is not UTF-8": ("rows.csv", text(b"a,b\n1,2\n\xe4\n"), r"row 2 has 1 \('ä'\)"),
    "an open quote": ("rows.csv", text('a,b\n1,"2\n' + "3,4\n" * 30), r"swallows rows from row 1, column 'b'"),
    "an open quote before much": ("rows.csv", text('a,b\n1,"2\n' + "3,4\n" * 5_000_000), r"is a quote never closed"),
    "a quote closed rows later": (
        "rows.csv", text('a,b,c\n1,2,3\n4,"5,6\n7,8,9\n10,11,12\n13,"x",14\n15,16,17\n'), r"from row 2, column 'b'",
    ),
    "bytes": ("rows.csv", text(bytes(range(256)) * 9), r"'.*rows.csv', which holds no text"),
    "an Excel file": ("rows.csv", text(b"PK\x03\x04" + bytes(99)), r"'.*rows.csv', which is a ZIP archive or an Excel"),
    "a Parquet file named CSV": ("rows.csv", parquet(pa.table({"a": [1]})), r"is a Parquet file; name it .parquet"),
    "a truncated gzip file": (
        "rows.csv.gz", text(gzip.compress(np.arange(9999).astype("S").tobytes())[:-99]),
        r"undamaged file, got '.*rows.csv.gz'",
    ),
    "UTF-16 cut in a character": (
        "rows.csv", text("a,b\n1,ä\n".encode("utf-16")[:-1]), r"undamaged file, got '.*rows.csv'",
    ),
    "CSV named Parquet": ("rows.parquet", text("a,b\n1,2\n"), r"must be a Parquet file, got '.*rows.parquet'"),
    "a truncated Parquet file": ("rows.parquet", parquet_cut, r"must be a Parquet file, got '.*rows.parquet'"),
    "a Parquet name twice": ("rows.parquet", parquet(TWICE), r"got 'a' more than once in '.*rows.parquet'"),
    "no rows in Parquet": (
        "rows.parquet", parquet(pa.table({"a": pa.array([], pa.int64())})), r"'.*rows.parquet', which is empty",
    ),
    "no columns in Parquet": ("rows.parquet", parquet(pa.table({})), r"'.*rows.parquet', which is empty"),
    "a Feather file that is none": (
        "rows.feather", text("a,b\n1,2\n"), r"must be a Feather file, got '.*rows.feather'",
    ),
    "no rows in Feather": ("rows.feather", lambda p: feather.write_feather(pa.table({"a": []}), p), r"which is empty"),
    "a folder whose files differ": (
        "rows",
        files(a__parquet=parquet(pa.table({"x": [1], "y": [1]})), b__parquet=parquet(pa.table({"x": [1]}))),
        r"must have the same columns in each file, got no column 'y' in '.*b.parquet'",
    ),
    "a Delta table": ("rows", delta, r"got the Delta table '.*rows'; export it to Parquet"),
    "files of a glob that differ": (
        "rows/*.csv", lambda p: files(a__csv=text("x,y\n1,2\n"), b__csv=text("x,z\n1,2\n"))(p.parent),
        r"no column 'y' in '.*b.csv'",
    ),
    "a bad row of one file of a glob": (
        "rows/*.csv", lambda p: files(a__csv=text("x,y\n1,2\n"), b__csv=text("x,y\n1\n"))(p.parent),
        r"'.*b.csv', where row 1 has 1",
    ),
    "formats mixed by a glob": (
        "rows/*", lambda p: files(a__csv=text("x\n1\n"), b__parquet=parquet(pa.table({"x": [1]})))(p.parent),
        r"must match files of one format",
    ),
    "an npz that is none": ("rows.npz", text("abc"), r"undamaged .npz file, got '.*rows.npz', which is no archive"),
    "Python objects": ("rows.npz", npz(X=np.eye(2), y=OBJECTS), r"got the array 'y' of '.*rows.npz' \(Object arrays"),
    "labels too few": ("rows.npz", npz(X=np.eye(2), y=[1]), r"got shapes \(2, 2\) and \(1,\) in '.*rows.npz'"),
    "features without labels": ("rows.npz", npz(X=np.eye(2), z=[1]), r"got X \(2, 2\), z \(1,\) in '.*rows.npz'"),
    "columns of two lengths": ("rows.npz", npz(a=[1, 2], b=[1]), r"got a \(2,\), b \(1,\) in"),
    "an empty npz": ("rows.npz", npz(X=np.empty((0, 2)), y=[]), r"'.*rows.npz', which is empty"),
    "splits of two shapes": (
        "rows.npz", npz(x_train=np.eye(2), y_train=[0, 1], x_test=np.eye(3), y_test=[0, 1, 2]),
        r"got \(.\,\) and \(.\,\) in",
    ),
    "complex numbers": ("rows.npz", npz(X=np.eye(2) * 1j, y=[0, 1]), r"got complex128 in the column 'column_0' of"),
    "columns of columns": ("rows.npy", npy(np.zeros(2, [("a", "f8", (3,))])), r"got float64 of shape \(3,\) in the co"),
    "a label that is missing": (
        "rows.npz", npz(X=np.zeros((2, 4, 5), np.uint8), y=[1, np.nan]), r"a label for each image, got nan in",
    ),
    "a column named target": ("rows.npz", npz(X=np.eye(2), y=[0, 1], columns=["a", "target"]), r"got 'target' more"),
    "an npy that is none": ("rows.npy", text("abc"), r"must be an undamaged array .* got '.*rows.npy'"),
    "an npy of one dimension": ("rows.npy", npy(np.arange(3)), r"got shape \(3,\) in '.*rows.npy'"),
    "an npy of objects": ("rows.npy", npy(OBJECTS), r"without Python objects, got '.*rows.npy'"),
    "an npy without rows": ("rows.npy", npy(np.empty((0, 3))), r"'.*rows.npy', which is empty"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_source_that_cannot_be_read_is_named_in_one_line(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, make, message = BAD[case]
    monkeypatch.chdir(tmp_path)
    make(tmp_path / given)
    with pytest.raises(InputError, match=message) as raised:
        open_source(given)
    line = str(raised.value)
    assert line.startswith("dataset must ")
    assert "\n" not in line
    assert len(line) < 600


def test_a_folder_that_cannot_be_listed_hides_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="which does not exist"):
        open_source(str(tmp_path / "nowhere" / "rows.csv"))


def test_a_frame_of_pandas_with_numbers_as_names_is_read(tmp_path: Path) -> None:
    feather.write_feather(pd.DataFrame({"0": [1], "1": [2]}), tmp_path / "rows.feather")
    assert open_source(str(tmp_path / "rows.feather")).sha256
