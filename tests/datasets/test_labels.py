"""Labels that came later, joined by a key to rows or to earlier predictions of them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steps.base.errors import InputError
from steps.datasets import Dataset
from steps.datasets.inputs import open_input
from steps.datasets.interface import Interface
from steps.datasets.labels import LabelledRows
from steps.datasets.outputs import PredictionWriter
from steps.datasets.rows import Rows
from steps.datasets.scored import ScoredRows, is_scored
from tests.datasets.test_input_named import CUSTOMERS, rows

ROWS = 6  # c000 to c005


@pytest.fixture
def opened(tmp_path: Path) -> Rows:
    rows(ROWS).to_csv(tmp_path / "rows.csv", index=False)
    return open_input(str(tmp_path / "rows.csv"), CUSTOMERS, key_column="id", with_targets=False)


def labelled(opened: Rows, frame: pd.DataFrame, path: Path, interface: Interface = CUSTOMERS) -> LabelledRows:
    getattr(frame, {".csv": "to_csv", ".parquet": "to_parquet"}[path.suffix])(path, index=False)
    return LabelledRows(opened, str(path), interface.target)


def targets(found: LabelledRows) -> list[float]:
    parts = [chunk.targets for chunk in found]
    return np.concatenate([part for part in parts if part is not None]).tolist()


OUTCOMES = pd.DataFrame({"id": ["c004", "c000", "c002", "x9"], "churn": ["yes", "no", None, "no"]})


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_rows_get_the_labels_of_their_keys_in_any_order(suffix: str, opened: Rows, tmp_path: Path) -> None:
    found = labelled(opened, OUTCOMES.assign(more=1)[["more", "churn", "id"]], tmp_path / f"outcomes{suffix}")
    assert targets(found) == [0, -1, -1, -1, 1, -1]
    assert found.coverage() == "2 of 6 rows have a label; 1 labels are of other rows"


def test_labels_of_all_rows_and_no_others_need_no_remark(opened: Rows, tmp_path: Path) -> None:
    every = pd.DataFrame({"id": [f"c{i:03d}" for i in range(ROWS)], "churn": "yes"})
    found = labelled(opened, every, tmp_path / "outcomes.csv")
    assert targets(found) == [1] * ROWS
    assert found.coverage() == ""


@pytest.mark.parametrize("keys", [[1, 2, 3], [1.0, 2.0, None], ["1", "2", "3"], ["1.0", " 2", "3"]])
def test_numbers_are_the_same_key_whatever_type_holds_them(keys: list[object], tmp_path: Path) -> None:
    rows(3).assign(id=[1, 2, 3]).to_parquet(tmp_path / "rows.parquet")
    opened = open_input(str(tmp_path / "rows.parquet"), CUSTOMERS, key_column="id", with_targets=False)
    outcomes = pd.DataFrame({"id": keys, "churn": "yes"}).dropna()
    assert targets(labelled(opened, outcomes, tmp_path / "outcomes.parquet"))[:2] == [1, 1]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (OUTCOMES.rename(columns={"id": "customer"}), "labels must have the key of the rows, got .*: no column 'id'"),
        (
            OUTCOMES.rename(columns={"churn": "Churned"}),
            "labels must have the target, .*'churn'; did you mean 'Churned'",
        ),
        (OUTCOMES.assign(id=["a", None, "b", "c"]), "labels must have a id in every row, got none in row 2"),
        (OUTCOMES.assign(id=["a", "b", "c", "a"]), "labels must have each id once, got 'a' in rows 1 and 4"),
        (OUTCOMES.assign(churn="perhaps"), "row 1 of 'churn' must hold classes of the target, got 'perhaps'"),
        (OUTCOMES.assign(churn=None), "labels must have values of 'churn', got none"),
        (OUTCOMES[:0], "labels must have values of 'churn', got none"),
    ],
    ids=["no key", "no target", "empty key", "double key", "not a class", "no label", "empty"],
)
def test_labels_that_cannot_be_joined_are_refused(
    frame: pd.DataFrame, reason: str, opened: Rows, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=reason):
        labelled(opened, frame, tmp_path / "outcomes.csv")


def test_labels_of_other_rows_only_are_refused(opened: Rows, tmp_path: Path) -> None:
    found = labelled(opened, OUTCOMES.assign(id=["w", "x", "y", "z"]), tmp_path / "outcomes.csv")
    assert targets(found) == [-1] * ROWS
    with pytest.raises(InputError, match="labels must have the id of a row of the input, got 'w' and others in 3 rows"):
        found.coverage()


def test_two_rows_with_the_key_of_one_label_are_refused(tmp_path: Path) -> None:
    pd.concat([rows(), rows()]).to_csv(tmp_path / "rows.csv", index=False)
    opened = open_input(str(tmp_path / "rows.csv"), CUSTOMERS, key_column="id", with_targets=False)
    found = labelled(opened, OUTCOMES, tmp_path / "outcomes.csv")
    with pytest.raises(InputError, match="input must have each id once if labels are given, got 'c004' twice"):
        targets(found)


def test_a_file_that_does_not_exist_is_named_as_labels(opened: Rows) -> None:
    with pytest.raises(InputError, match=r"labels must be a file that exists, got 'gone\.csv'"):
        LabelledRows(opened, "gone.csv", CUSTOMERS.target)


def test_the_target_in_the_rows_does_not_count_beside_labels(opened: Rows, tmp_path: Path) -> None:
    rows().assign(churn="not known yet").to_csv(tmp_path / "rows.csv", index=False)
    opened = open_input(str(tmp_path / "rows.csv"), CUSTOMERS, key_column="id", with_targets=False)
    assert targets(labelled(opened, OUTCOMES, tmp_path / "outcomes.csv"))[4] == 1


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_an_earlier_output_is_read_back(suffix: str, opened: Rows, tmp_path: Path) -> None:
    outputs = np.random.default_rng(0).dirichlet([1, 1], ROWS).astype(np.float32)
    path = tmp_path / f"predicted{suffix}"
    with PredictionWriter(path, opened, CUSTOMERS.target) as writer:
        writer.write(next(iter(opened)).keys, outputs)
    assert is_scored(str(path), CUSTOMERS)
    scored = ScoredRows(str(path), CUSTOMERS, "id")
    (chunk,) = labelled(scored, OUTCOMES, tmp_path / "outcomes.csv")
    np.testing.assert_allclose(chunk.given, outputs, rtol=1e-6)
    assert chunk.targets is not None
    assert chunk.targets.tolist() == [0, -1, -1, -1, 1, -1]


def test_a_bad_cell_of_an_earlier_output_costs_its_row(tmp_path: Path) -> None:
    frame = pd.DataFrame({"row": [1, 2, 3], "probability_no": ["0.5", "much", None], "probability_yes": [0.5, 0.5, 1]})
    frame.to_csv(tmp_path / "predicted.csv", index=False)
    (chunk,) = ScoredRows(str(tmp_path / "predicted.csv"), CUSTOMERS, "")
    assert chunk.given.tolist() == [[0.5, 0.5]]
    assert [(bad.key, re.sub(" within.*,", ",", bad.reason)) for bad in chunk.bad] == [
        (2, "column 'probability_no' must be a number, got 'much'"),
        (3, "column 'probability_no' must be a number, got none"),
    ]


def test_rows_with_the_columns_of_the_model_are_predicted_again(tmp_path: Path) -> None:
    rows().assign(probability_no=0.5, probability_yes=0.5).to_csv(tmp_path / "both.csv", index=False)
    rows().to_csv(tmp_path / "rows.csv", index=False)
    assert not is_scored(str(tmp_path / "both.csv"), CUSTOMERS)
    assert not is_scored(str(tmp_path / "rows.csv"), CUSTOMERS)
    assert not is_scored(str(tmp_path), CUSTOMERS)
    assert not is_scored(str(tmp_path / "gone.csv"), CUSTOMERS)


def test_an_earlier_output_needs_its_key(tmp_path: Path) -> None:
    pd.DataFrame({"id": ["a"], "probability_no": 0.5, "probability_yes": 0.5}).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(InputError, match=r"key_column must be the column of .* that identifies its rows, got ''"):
        ScoredRows(str(tmp_path / "p.csv"), CUSTOMERS, "")


def test_labels_of_images_are_joined_by_the_names_of_files(digits: Dataset, tmp_path: Path) -> None:
    interface = Interface.of(digits)
    frame = pd.DataFrame(np.eye(10)[[3, 7]], columns=[f"probability_{i}" for i in range(10)])
    frame.insert(0, "file", ["a.png", "b.png"])
    frame.to_csv(tmp_path / "predicted.csv", index=False)
    assert is_scored(str(tmp_path / "predicted.csv"), interface)
    scored = ScoredRows(str(tmp_path / "predicted.csv"), interface, "")
    outcomes = pd.DataFrame({"file": ["b.png", "a.png"], "digit": [7, 4]})
    assert targets(labelled(scored, outcomes, tmp_path / "outcomes.csv", interface)) == [4, 7]
    with pytest.raises(
        InputError, match="labels must have a column label or class or target or digit, got file, truth"
    ):
        labelled(scored, outcomes.rename(columns={"digit": "truth"}), tmp_path / "outcomes.csv", interface)
