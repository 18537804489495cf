"""OpenML, offline: its real answers, as scikit-learn carries them for its own tests, lie in the cache."""

from __future__ import annotations

import gzip
import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sklearn.datasets

from steps.base.errors import InputError
from steps.datasets import DataError
from steps.datasets.sources import TableSource, open_source

ANSWERS = Path(sklearn.datasets.__file__).parent / "tests" / "data" / "openml"


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Requests go to a proxy that is not there."""
    proxy = urllib.request.ProxyHandler({"https": "http://127.0.0.1:9"})
    urllib.request.install_opener(urllib.request.build_opener(proxy))
    yield
    urllib.request.install_opener(None)


@pytest.fixture(autouse=True)
def openml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of scikit-learn, laid out as the paths of the server are."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("time.sleep", lambda _: None)
    server = tmp_path / "mlp-tuning" / "openml" / "openml.org"
    for folder in ANSWERS.glob("id_*"):
        number = folder.name.removeprefix("id_")
        about = folder / f"api-v1-jd-{number}.json.gz"
        if not about.exists():
            continue
        data = urlsplit(json.loads(gzip.decompress(about.read_bytes()))["data_set_description"]["url"]).path
        (arff,) = folder.glob("data-v1-dl-*.gz")
        copies = {
            f"api/v1/json/data/{number}": about,
            f"api/v1/json/data/features/{number}": folder / f"api-v1-jdf-{number}.json.gz",
            f"api/v1/json/data/qualities/{number}": folder / f"api-v1-jdq-{number}.json.gz",
            data.strip("/"): arff,
        }
        for path, source in copies.items():
            if source.exists():
                (server / f"{path}.gz").parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, server / f"{path}.gz")
    return server


def read(given: str) -> TableSource:
    source = open_source(given)
    assert isinstance(source, TableSource)
    return source


@pytest.mark.parametrize(
    ("number", "name", "target", "shape"),
    [
        (40945, "Titanic", "survived", (1309, 14)), (3, "kr-vs-kp", "class", (3196, 37)),
        (61, "iris", "class", (150, 5)), (42585, "penguins", "species", (344, 7)),
        (2, "anneal", "class", (11, 39)), (561, "cpu", "class", (209, 8)),
    ],
)  # fmt: skip
def test_a_data_set_has_its_name_its_target_and_all_rows(
    number: int, name: str, target: str, shape: tuple[int, int]
) -> None:
    source = read(f"openml:{number}")
    assert (source.name, source.target, source.table.shape) == (name, target, shape)
    assert source.source == f"OpenML, {number} ({name})"
    assert source.sha256 == read(f"openml:{number}").sha256


def test_types_and_missing_cells_are_kept() -> None:
    table = read("openml:40945").table
    assert str(table.schema.field("age").type) == "double"
    assert str(table.schema.field("pclass").type) in ("int64", "double")
    assert table["age"].null_count == 263
    assert set(table["sex"].to_pylist()) == {"male", "female"}
    assert set(table["survived"].to_pylist()) == {"0", "1"}  # nominal: words


def test_several_targets_are_left_to_the_person() -> None:
    assert read("openml:40589").target == ""


def test_an_inactive_version_is_said() -> None:
    assert "inactive" in read("openml:1").notes[0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("openml:titanic", r"must be openml: and the number of a data set, such as openml:31, got 'openml:titanic'"),
        ("openml:", r"got 'openml:'"),
        ("openml:292", r"must be a dense data set of OpenML, got 'openml:292' \(Sparse ARFF"),
    ],
)
def test_what_is_no_table_of_openml_is_refused(given: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_source(given)


def test_a_server_that_is_away_is_an_error_of_its_own() -> None:
    with pytest.raises(DataError, match=r"openml:31: OpenML does not answer \(.*refused.*\); check the network"):
        open_source("openml:31")


def test_a_damaged_file_of_the_cache_is_told(openml: Path) -> None:
    (path,) = openml.rglob("iris.arff.gz")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"5.1", b"5.2")))
    with pytest.raises((InputError, DataError), match="openml:61"):
        open_source("openml:61")
