from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from steps.base.errors import InputError
from steps.datasets.outputs import PredictionWriter, check_output

PROBABILITIES = np.array([[0.25, 0.75], [1, 0]], np.float32)


@pytest.mark.parametrize(("suffix", "key", "keys"), [(".csv", "row", [1, 3]), (".parquet", "file", ["a.png", "b.png"])])
def test_chunks_become_one_table(suffix: str, key: str, keys: list[int | str], tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    with PredictionWriter(path, key, ("0", "1")) as writer:
        for i in range(2):
            writer.write(keys[i : i + 1], PROBABILITIES[i : i + 1])
    table = pd.read_csv(path, dtype={"predicted": str}) if suffix == ".csv" else pd.read_parquet(path)
    assert list(table.columns) == [key, "predicted", "probability_0", "probability_1"]
    assert table[key].tolist() == keys
    assert table["predicted"].tolist() == ["1", "0"]
    np.testing.assert_allclose(table.iloc[:, 2:].to_numpy(), PROBABILITIES)
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")
    with pytest.raises(pa.ArrowInvalid), PredictionWriter(path, "row", ("0", "1")) as writer:
        writer.write(["no number"], PROBABILITIES[:1])
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
