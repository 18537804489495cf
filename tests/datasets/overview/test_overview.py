"""The overview of whole tables: planted drifts and copies are found, and a clean random split raises nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from steps.datasets import Dataset
from steps.datasets.dataset import Split
from steps.datasets.overview.overview import BRIGHTNESS, OVERVIEW, Overview, overview_of
from steps.datasets.overview.rows import row_hashes
from steps.datasets.request import DataRequest
from steps.datasets.sources.source import TableSource
from steps.datasets.tables import table_as_dataset
from steps.datasets.tabular.target import Target

N = 600


def rooms(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    size = rng.normal(30, 8, N)
    return pd.DataFrame(
        {
            "booked": pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(N), unit="D"),
            "size": np.where(rng.random(N) < 0.1, np.nan, size),
            "rent": rng.lognormal(6, 0.5, N),
            "beds": rng.integers(1, 5, N),
            "city": rng.choice([*"abcdefghijkl"], N),
            "quiet": rng.choice(["yes", "no"], N),
            "sold": (size + rng.normal(0, 8, N) > 30).astype(int),
        }
    )


def dataset_of(frame: pd.DataFrame, **request: Any) -> Dataset:
    source = TableSource(pa.Table.from_pandas(frame, preserve_index=False), "rooms", "made up", "")
    return table_as_dataset(source, None, DataRequest("rooms", "sold", **request))


def found(frame: pd.DataFrame, **request: Any) -> Overview:
    return overview_of(dataset_of(frame, **request))


def far(overview: Overview) -> set[str]:
    return {column.column.name for column in overview.columns for d in column.distances.values() if d.is_notable}


def copied(frame: pd.DataFrame, noise: float) -> pd.DataFrame:
    """A split whose test rows are those of training, but for a little noise in each number."""
    rng = np.random.default_rng(1)
    test = frame.sample(100, random_state=0).copy()
    for name in ("size", "rent"):
        test[name] += noise * rng.normal(size=len(test))
    return pd.concat([frame.assign(part="train"), test.assign(part="test")])


@pytest.mark.parametrize("seed", range(4))
def test_a_clean_random_split_raises_nothing(seed: int) -> None:
    overview = found(rooms(seed), seed=seed)
    assert far(overview) == set()
    assert overview.discrimination is not None
    assert not overview.discrimination.is_far
    assert overview.repeats.n_equal == overview.repeats.n_shared == 0
    assert overview.repeats.neighbours is not None
    assert not overview.repeats.neighbours.is_suspicious
    assert not overview.repeats.is_suspicious


def test_statistics_are_those_of_the_rows_outside_the_test_split() -> None:
    frame = rooms(0).assign(part=np.repeat(["train", "validation", "test"], 200))
    size = next(column for column in found(frame, split_column="part").columns if column.column.name == "size")
    shown = frame["size"][:400]
    assert size.training.n_rows == 400
    assert size.training.n_missing == shown.isna().sum()
    assert size.training.n_distinct == shown.nunique()
    assert (size.training.low, size.training.high) == (shown.min(), shown.max())
    assert set(size.distances) == {"validation", "test"}
    train, test = frame["size"][:200], frame["size"][400:]
    assert size.distances["test"].missing == pytest.approx(test.isna().mean() - train.isna().mean())


def test_a_drift_in_time_is_found() -> None:
    frame = rooms(0)
    frame["rent"] *= np.where(np.arange(N) < 0.8 * N, 1, 2)
    overview = found(frame, time_column="booked")
    assert far(overview) == {"rent"}
    assert overview.discrimination is not None
    assert overview.discrimination.is_far


def test_a_split_that_the_table_states_and_that_is_not_random_is_found() -> None:
    frame = rooms(0)
    frame["part"] = np.where(frame["city"] < "d", "test", "train")
    overview = found(frame, split_column="part")
    assert far(overview) == {"city"}
    assert overview.discrimination is not None
    assert overview.discrimination.auc > 0.95


def test_nearly_equal_rows_across_the_splits_are_found() -> None:
    overview = found(copied(rooms(0), 0.01), split_column="part")
    assert overview.repeats.n_shared == 0
    assert overview.repeats.neighbours is not None
    assert overview.repeats.neighbours.is_suspicious
    assert overview.repeats.neighbours.near_test > 0.7
    assert overview.repeats.neighbours.near_others < 0.01
    assert far(overview) == set()


def test_equal_rows_are_counted() -> None:
    frame = rooms(0)
    frame = pd.concat([frame, frame[:20], frame[:5].assign(sold=lambda rows: 1 - rows["sold"])])
    frame["part"] = np.where(np.arange(len(frame)) < len(frame) - 5, "train", "test")
    repeats = found(frame, split_column="part").repeats
    assert repeats.n_equal == 40
    assert repeats.n_shared == 5
    assert repeats.n_contradicting == 0
    frame["part"] = np.where(np.arange(len(frame)) < 100, "test", "train")
    assert found(frame, split_column="part").repeats.n_shared == 5


def test_equal_rows_with_another_target_are_counted() -> None:
    frame = rooms(0).assign(part="train")
    twins = frame[:7].assign(sold=lambda rows: 1 - rows["sold"])
    frame.loc[500:, "part"] = "test"
    assert found(pd.concat([frame, twins]), split_column="part").repeats.n_contradicting == 14


def test_copies_do_not_make_splits_look_different() -> None:
    frame = pd.concat([rooms(0)] * 4)
    overview = found(frame)
    assert overview.discrimination is not None
    assert not overview.discrimination.is_far
    assert far(overview) == set()


def test_a_nearly_empty_column_and_few_rows_are_no_trouble() -> None:
    frame = rooms(0).assign(rare=np.where(np.arange(N) == 7, 1.5, np.nan))
    assert far(found(frame)) == set()
    assert found(frame[:40]).discrimination is None


def test_images_are_compared_by_brightness_and_equal_ones_are_counted() -> None:
    rng = np.random.default_rng(0)
    dark, light = (rng.integers(0, high, (n, 50), np.uint8) for high, n in ((100, 300), (250, 100)))
    splits = {"train": Split(dark, np.zeros(300, np.int32)), "test": Split(light, np.zeros(100, np.int32))}
    splits["test"] = Split(np.concatenate([light, dark[:3]]), np.zeros(103, np.int32))
    request = DataRequest("photos")
    target = Target("classification", class_names=("a", "b"))
    overview = overview_of(Dataset("photos", splits, target, request, "made up", 255.0, (5, 10)))
    (brightness,) = overview.columns
    assert brightness.column == BRIGHTNESS
    assert brightness.distances["test"].is_far
    assert brightness.training.n_rows == 300
    assert overview.repeats.n_shared == 3
    assert overview.discrimination is None


def test_it_is_read_back_as_it_was_written() -> None:
    overview = found(rooms(0))
    assert OVERVIEW.validate_json(OVERVIEW.dump_json(overview)) == overview


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_hashes_are_equal_for_equal_rows_only(dtype: Any) -> None:
    rows = np.random.default_rng(0).integers(0, 3, (2000, 5)).astype(dtype)
    _, numbers = np.unique(rows, axis=0, return_inverse=True)
    _, hashed = np.unique(row_hashes(rows), return_inverse=True)
    assert len(np.unique(np.stack([numbers.reshape(-1), hashed]), axis=1).T) == len(np.unique(numbers))
    assert row_hashes(np.array([[0.0, 1]], np.float32)) == row_hashes(np.array([[-0.0, 1]], np.float32))
