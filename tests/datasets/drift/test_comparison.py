"""Rows against the training rows: planted differences are found, those of chance are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from steps.datasets import Dataset
from steps.datasets.drift.comparison import ColumnDrift
from steps.datasets.drift.profile import Profile
from steps.datasets.drift.rows import RowCounts
from steps.datasets.interface import Interface
from steps.datasets.request import DataRequest
from steps.datasets.sources.source import TableSource
from steps.datasets.tables import table_as_dataset


def customers(n: int, seed: int) -> pd.DataFrame:
    """Rows with columns of every kind, with atoms, long tails, missing cells and rare levels."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "tenure": rng.uniform(0, 72, n).round(1),
            "spent": rng.lognormal(4, 1, n).round(2),
            "calls": rng.poisson(3, n),
            "refund": np.where(rng.random(n) < 0.9, 0, rng.lognormal(2, 1, n)),
            "member": rng.choice(["yes", "no"], n),
            "plan": rng.choice(["basic", "plus", "max"], n, p=[0.6, 0.37, 0.03]),
            "town": [f"Town {i}" for i in np.minimum(rng.zipf(1.5, n), 3000)],
            "street": [f"Street {i}" for i in rng.integers(0, 400, n)],
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 2000, n), "D"),
            "churn": rng.choice(["no", "yes"], n),
        }
    )
    frame.loc[rng.random(n) < 0.02, "tenure"] = np.nan
    frame.loc[rng.random(n) < 0.3, "plan"] = None
    return frame


def dataset_of(frame: pd.DataFrame) -> Dataset:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return table_as_dataset(TableSource(table, "customers", "made here", "0"), None, DataRequest("", target="churn"))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return dataset_of(customers(3000, seed=0))


def drifts(dataset: Dataset, frame: pd.DataFrame, chunk: int | None = None) -> dict[str, ColumnDrift]:
    """The comparison of the rows, which come in chunks of a size, with the training rows of the data set."""
    assert dataset.profile is not None
    counts = RowCounts(Profile.from_json(dataset.profile.to_json()), Interface.of(dataset))
    size = chunk or len(frame)
    for start in range(0, len(frame), size):
        counts.add(pa.Table.from_pandas(frame[start : start + size], preserve_index=False))
    return {drift.name: drift for drift in counts.drifts()}


def differing(found: dict[str, ColumnDrift]) -> set[str]:
    return {name for name, drift in found.items() if drift.differs}


@pytest.mark.parametrize("n", [1, 50, 500, 20_000])
def test_new_rows_like_the_training_rows_raise_no_alarm(n: int, dataset: Dataset) -> None:
    for seed in range(1, 21):
        assert differing(drifts(dataset, customers(n, seed))) == set()


@pytest.mark.parametrize("n", [150, 1000])
def test_nor_do_many_new_rows_of_a_model_of_few(n: int) -> None:
    alarms = [differing(drifts(dataset_of(customers(n, seed)), customers(20_000, seed + 99))) for seed in range(10)]
    assert alarms == [set()] * 10


def test_the_training_rows_themselves_do_not_differ(dataset: Dataset) -> None:
    found = drifts(dataset, customers(3000, seed=0))
    assert differing(found) == set()
    assert max(drift.psi for drift in found.values()) < 0.01


PLANTED: dict[str, tuple[str, Callable[[pd.DataFrame], object], str]] = {
    "above the range": ("tenure", lambda f: f["tenure"] + 45, "above"),
    "below the range": ("spent", lambda f: f["spent"] - 1000, "below"),
    "all at once in a place": ("tenure", lambda f: f["tenure"] / 8, "between"),
    "a rare number that is frequent": ("refund", lambda f: f["refund"].where(f["refund"] > 0, 5.0), "between"),
    "missing numbers": ("tenure", lambda f: f["tenure"].where(f.index % 3 > 0), "missing"),
    "missing levels": ("plan", lambda f: f["plan"].where(f.index < 0), "missing"),
    "no longer missing": ("plan", lambda f: f["plan"].fillna("basic"), "missing"),
    "unseen levels": ("plan", lambda f: f["plan"].where(f.index % 8 > 0, "Pro"), "unseen"),
    "unseen levels among many": ("street", lambda f: "New " + f["street"], "unseen"),
    "a rare level that is frequent": ("plan", lambda f: f["plan"].where(f.index % 4 > 0, "max"), "levels"),
    "words for a boolean": ("member", lambda f: f["member"].where(f.index % 5 > 0, "perhaps"), "unseen"),
    "a boolean that is always true": ("member", lambda f: f["member"].where(f.index < 0, "YES"), "levels"),
    "later dates": ("since", lambda f: f["since"] + pd.Timedelta(900, "D"), "above"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("n", [200, 5000])
def test_a_planted_difference_is_found_and_nothing_else(n: int, name: str, dataset: Dataset) -> None:
    column, change, what = PLANTED[name]
    frame = customers(n, seed=1)
    found = drifts(dataset, frame.assign(**{column: change(frame)}))
    assert differing(found) == {column}
    assert next(iter(found)) == column
    assert found[column].largest.what == what


def test_the_shares_are_those_of_the_rows(dataset: Dataset) -> None:
    frame = customers(1000, seed=1).astype({"plan": object})
    frame.loc[:309, "tenure"] = None
    frame.loc[:119, "plan"] = "Pro"
    frame.loc[120:129, "plan"] = "Gold"
    found = drifts(dataset, frame)
    expected = frame["tenure"].isna().mean()
    assert found["tenure"].missing == expected
    assert found["tenure"].missing_in_training == pytest.approx(0.02, abs=0.01)
    assert found["tenure"].largest.share == expected
    assert found["plan"].outside == 0.13
    assert found["plan"].largest.levels == ("Pro", "Gold")


def test_a_small_difference_of_many_rows_is_not_worth_a_line(dataset: Dataset) -> None:
    frame = customers(20_000, seed=1)
    found = drifts(dataset, frame.assign(tenure=frame["tenure"] + 1))
    assert found["tenure"].p_value < 1e-6
    assert differing(found) == set()


@pytest.mark.parametrize("chunk", [1, 7, 400])
def test_chunks_of_any_size_give_the_same(chunk: int, dataset: Dataset) -> None:
    frame = customers(400, seed=1)
    frame = frame.assign(tenure=frame["tenure"] + 45, plan=frame["plan"].where(frame.index % 8 > 0, "Pro"))
    assert drifts(dataset, frame, chunk) == drifts(dataset, frame)


def test_cells_that_only_look_different_do_not_differ() -> None:
    frame = customers(1000, seed=0).assign(zip=lambda f: f["calls"] + 10)
    coded = dataset_of(frame)
    written = frame.assign(
        zip=frame["zip"].map("{:04d}".format),
        calls=frame["calls"].map("{:.1f}".format),
        member=frame["member"].map({"yes": "TRUE", "no": "0"}),
        since=frame["since"].dt.strftime("%Y-%m-%dT%H:%M:%S"),
        plan=frame["plan"].fillna(" n/a "),
    )
    assert differing(drifts(coded, written)) == set()


@pytest.fixture
def dark(digits: Dataset) -> np.ndarray:
    """(300, 64) images of the digits, with half of their light."""
    return np.asarray(digits.splits["test"].features[:300]) // 2


def image_drifts(digits: Dataset, pixels: np.ndarray) -> dict[str, ColumnDrift]:
    assert digits.profile is not None
    counts = RowCounts(digits.profile, Interface.of(digits))
    counts.add(pixels[:100])
    counts.add(pixels[100:])
    return {drift.name: drift for drift in counts.drifts()}


def test_darker_images_are_found_and_equal_ones_are_not(digits: Dataset, dark: np.ndarray) -> None:
    found = image_drifts(digits, dark)
    assert differing(found) == {"brightness", "contrast"}
    assert found["brightness"].largest.what == "below"
    assert differing(image_drifts(digits, np.asarray(digits.splits["test"].features[:300]))) == set()


def test_without_a_profile_or_a_row_there_is_no_difference(digits: Dataset, dark: np.ndarray) -> None:
    counts = RowCounts(Profile(()), Interface.of(digits))
    counts.add(dark)
    assert counts.drifts() == ()
    assert digits.profile is not None
    assert RowCounts(digits.profile, Interface.of(digits)).drifts() == ()
