"""A request becomes a data set, whatever it names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steps.base.errors import InputError
from steps.datasets import Dataset
from steps.datasets.loading import content_of, load_dataset
from steps.datasets.request import DataRequest


@pytest.fixture
def customers(tmp_path: Path) -> Path:
    """A CSV of 300 rows with numbers, categories, holes, weights, and the target `churn`."""
    rng = np.random.default_rng(0)
    age = rng.integers(18, 80, 300).astype(float)
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(300) < 0.1, np.nan, age),
            "plan": rng.choice(["basic", "plus", "pro"], 300),
            "city": rng.choice([f"city {i}" for i in range(30)], 300),
            "weight": rng.integers(1, 4, 300),
            "spent": np.round(rng.lognormal(3, 1, 300), 2),
            "churn": np.where(rng.random(300) < age / 100, "yes", "no"),
        }
    )
    frame.to_csv(tmp_path / "customers.csv", index=False)
    return tmp_path / "customers.csv"


def test_a_csv_becomes_splits_of_encoded_rows(customers: Path, tmp_path: Path) -> None:
    dataset = load_dataset(DataRequest(str(customers), target="churn", weight_column="weight", folds=1))
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 200, "validation": 40, "test": 60}
    assert (dataset.name, dataset.target.class_names, dataset.target.positive_class) == (
        "customers",
        ("no", "yes"),
        "yes",
    )
    assert len(dataset.level_counts) == 1  # city
    assert dataset.columns is not None
    assert "weight" not in dataset.columns.schema.names
    for split in dataset.splits.values():
        assert split.features.dtype == np.float32
        assert np.isfinite(split.features).all()
        assert split.weights is not None
        assert set(np.unique(split.weights)) <= {1, 2, 3}
    dataset.save(tmp_path / "saved")
    again = Dataset.load(tmp_path / "saved")
    assert again.digest == dataset.digest
    assert again.columns is not None
    assert again.columns.to_json() == dataset.columns.to_json()
    assert again.request == dataset.request


def test_numbers_are_a_target_too(customers: Path) -> None:
    target = load_dataset(DataRequest(str(customers), target="spent")).target
    assert target.task == "regression"
    assert target.is_skewed
    train = load_dataset(DataRequest(str(customers), target="spent")).splits["train"].targets
    assert (target.low, target.high) == (train.min(), train.max())


def test_a_missing_target_lists_the_columns_the_likely_ones_first(customers: Path) -> None:
    with pytest.raises(InputError, match=r"target must be the column to predict, got ''; .* first: churn, "):
        load_dataset(DataRequest(str(customers)))


def test_a_test_file_is_the_test_split(customers: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(customers)
    frame.iloc[:50][["churn", "city", "spent", "plan", "age", "weight"]].to_csv(tmp_path / "test.csv", index=False)
    frame.iloc[50:].to_csv(tmp_path / "train.csv", index=False)
    request = DataRequest(str(tmp_path / "train.csv"), target="churn", test_dataset=str(tmp_path / "test.csv"))
    dataset = load_dataset(request)
    assert len(dataset.splits["test"]) == 50
    assert dataset.splits["test"].targets.tolist() == (frame.churn.iloc[:50] == "yes").astype(int).tolist()
    for column, value, message in (("plan", None, "'plan' is missing"), ("churn", "maybe", "got 'maybe' in row 1")):
        bad = frame.iloc[:50].drop(columns="plan") if value is None else frame.iloc[:50].assign(**{column: value})
        bad.to_csv(tmp_path / "bad.csv", index=False)
        with pytest.raises(InputError, match=message):
            load_dataset(replace(request, test_dataset=str(tmp_path / "bad.csv")))


def test_a_row_is_in_the_split_that_its_columns_say_and_copies_are_noted(tmp_path: Path) -> None:
    frame = pd.DataFrame({"y": ["a", "b"] * 50, "x": np.arange(100.0) ** 0.5, "when": np.arange(100)})
    frame = pd.concat([frame, frame.iloc[:10]])
    frame["part"] = ["train"] * 60 + ["dev"] * 20 + ["test"] * 30
    frame.to_csv(tmp_path / "table.csv", index=False)
    request = DataRequest(str(tmp_path / "table.csv"), target="y", split_column="part", ignore_columns=("when",))
    dataset = load_dataset(request)
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 50, "validation": 20, "test": 30}
    assert dataset.notes == (
        "10 rows are equal to an earlier one, target included; equal rows are in the same split",
        "10 rows are left out: equal to rows of a later split",
    )


def test_a_table_of_pixels_forms_images_if_their_shape_is_stated(tmp_path: Path, digits: Dataset) -> None:
    split = digits.splits["train"]
    frame = pd.DataFrame(np.asarray(split.features), columns=[f"pixel{i}" for i in range(64)])
    frame.insert(0, "label", split.targets)
    frame.to_csv(tmp_path / "kaggle.csv", index=False)
    dataset = load_dataset(DataRequest(str(tmp_path / "kaggle.csv"), image_shape=(8, 8)))
    assert dataset.image_shape == (8, 8)
    assert dataset.target.class_names == tuple("0123456789")
    assert dataset.splits["train"].features.dtype == np.uint8
    with pytest.raises(InputError, match="image_shape must have as many pixels as columns besides the target, got 9x8"):
        load_dataset(DataRequest(str(tmp_path / "kaggle.csv"), image_shape=(9, 8)))
    table = load_dataset(DataRequest(str(tmp_path / "kaggle.csv"), target="label"))
    assert table.image_shape is None


def test_images_have_no_columns() -> None:
    with pytest.raises(InputError, match="target must be empty for images"):
        load_dataset(DataRequest("digits", target="label"))


def test_a_changed_file_has_another_content(customers: Path) -> None:
    request = DataRequest(str(customers), target="churn")
    before = content_of(request)
    assert content_of(request) == before
    customers.write_text(customers.read_text().replace("basic", "Basic"))
    assert content_of(request) != before


def test_folds_of_images_hold_every_row_once(digits: Dataset) -> None:
    dataset = load_dataset(DataRequest("digits", folds=3))
    assert len(dataset.folds) == 3
    assert "validation" not in dataset.splits
    assert sum(len(validation) for _, validation in dataset.folds) == len(dataset.splits["train"])
    assert all(len(train) + len(validation) == len(dataset.splits["train"]) for train, validation in dataset.folds)
    assert dataset.splits["test"].digest() == digits.splits["test"].digest()
    ((train, validation),) = digits.folds
    assert (train, validation) == (digits.splits["train"], digits.splits["validation"])


def test_folds_of_a_table_are_encoded_each_by_its_own_training_rows(customers: Path) -> None:
    dataset = load_dataset(DataRequest(str(customers), target="churn"))  # small: folds without being asked for
    assert len(dataset.folds) == 5
    assert dataset.columns is not None
    age = dataset.columns.encoding.names.index("age")
    distinct = {round(float(train.features[:, age].sum()), 3) for train, _ in dataset.folds}
    assert len(distinct) == 5
    for train, validation in dataset.folds:
        assert len(train) + len(validation) == len(dataset.splits["train"]) == 240
        median = np.median(train.features[:, age][train.features[:, age] != 0])
        assert abs(median) < 0.1  # of its own rows
    one = load_dataset(DataRequest(str(customers), target="churn", folds=1))
    assert len(one.folds) == 1
    assert one.splits["test"].targets.tolist() == dataset.splits["test"].targets.tolist()
