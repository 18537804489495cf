"""Sources by what a person gives."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from steps.base.errors import InputError
from steps.datasets.sources import TableSource, open_source
from steps.datasets.sources.opening import check_source


def table(given: str) -> TableSource:
    source = open_source(given)
    assert isinstance(source, TableSource)
    return source


def test_a_file_is_named_and_has_the_digest_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "My customers (new).CSV"
    path.write_text("a,b\n1,2\n")
    source = table(str(path))
    assert (source.name, source.source) == ("My-customers-new", str(path))
    assert source.sha256 == hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    assert (source.target, source.split, source.notes) == ("", "", ())


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("customers.csv.gz", "customers"), ("a@b/c.csv", "c"), ("straße №1.csv", "straße-No1"), ("???.csv", "data"),
        ("日本.csv", "日本"), (".hidden.csv", "hidden"), ("x" * 200 + ".csv", "x" * 60),
    ],
)  # fmt: skip
def test_the_name_of_a_model_is_made_of_letters_and_digits(file_name: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / file_name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"a,b\n1,2\n")
    assert table(str(path)).name == name


def test_paths_start_at_home_or_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert table("~/rows.csv").source == str(tmp_path / "rows.csv")
    monkeypatch.chdir(tmp_path)
    assert table("rows.csv").source == str(tmp_path / "rows.csv")


@pytest.mark.parametrize(
    ("name", "shape", "values"),
    [
        ("breast_cancer", (569, 31), {"malignant", "benign"}),
        ("wine", (178, 14), {"class_0", "class_1", "class_2"}),
        ("iris", (150, 5), {"setosa", "versicolor", "virginica"}),
    ],
)
def test_tables_of_scikit_learn_have_names_and_words(name: str, shape: tuple[int, int], values: set[str]) -> None:
    source = table(name)
    assert (source.name, source.target, source.table.shape) == (name, "target", shape)
    assert set(source.table["target"].to_pylist()) == values
    assert source.sha256 == table(name).sha256


def test_diabetes_has_numbers_in_their_units() -> None:
    source = table("diabetes")
    assert source.table.shape == (442, 11)
    assert source.table["age"].to_pylist()[:2] == [59, 48]
    assert source.table["target"].to_pylist()[:2] == [151, 75]


def test_a_glob_is_one_table(tmp_path: Path) -> None:
    (tmp_path / "sales-1.csv").write_text("a,zip\n1,10115\n")
    (tmp_path / "sales-2.csv").write_text("zip;a\n01067;2.5\n")
    source = table(f"{tmp_path}/sales-*.csv")
    assert source.table.to_pydict() == {"a": [1.0, 2.5], "zip": ["10115", "01067"]}
    assert (source.name, source.source) == ("sales", f"{tmp_path}/sales-*.csv")
    assert "2 files were read and concatenated." in source.notes
    pq.write_table(pa.table({"a": [1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": [2]}), tmp_path / "2.parquet")
    assert table(f"{tmp_path}/?.parquet").table.to_pydict() == {"a": [1, 2]}


def test_what_exists_is_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "rows[1].csv").write_text("a,b\n1,2\n")
    assert table(f"{tmp_path}/rows[1].csv").table.num_rows == 1


def test_the_error_names_the_parameter() -> None:
    with pytest.raises(InputError, match=r"^test_dataset must be"):
        open_source("nowhere.csv", "test_dataset")


@pytest.mark.parametrize(
    "given", ["wine", "mnist", "openml:31", "https://a.org/rows.csv", "rows.csv", "*.csv", ".", "~"]
)
def test_what_can_be_a_source_passes_the_check_before_a_run(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").touch()
    check_source(given, ("mnist",))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", r"got '', which does not exist"),
        ("mnits", r"^test_dataset must be .*; did you mean 'mnist'\?"),
        ("row.csv", r"did you mean 'rows.csv'\?"),
        ("rows.xlsx", r"got 'rows.xlsx', a file of another format"),
        ("*.parquet", r"got '\*.parquet', which matches none"),
        ("openml:iris", r"must be openml: and the number of a data set"),
        ("s3://bucket/rows.csv", r"must be a path or begin with https://"),
    ],
)
def test_what_cannot_is_refused_before_a_run(
    given: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").touch()
    (tmp_path / "rows.xlsx").touch()
    with pytest.raises(InputError, match=message):
        check_source(given, ("mnist",), "test_dataset")
