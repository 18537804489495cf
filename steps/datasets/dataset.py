"""The frozen data set that travels between steps as memory-mapped `.npy` files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from steps.base.errors import StepError
from steps.base.files import array_digest, file_digest
from steps.datasets.drift.profile import PROFILE, Profile
from steps.datasets.request import DataRequest
from steps.datasets.tabular.columns import Columns
from steps.datasets.tabular.decision import Decision
from steps.datasets.tabular.interval import PredictionInterval
from steps.datasets.tabular.sets import PredictionSets
from steps.datasets.tabular.target import Target

TRAINING = ("train", "validation")  # the rows that a model may learn from
FOLDS = "folds"  # stands for the splits of all folds
SEARCH = (*TRAINING, FOLDS)  # the rows that a search may see
SPLITS = (*TRAINING, "test")
COLUMNS = "columns.json"
_TEST_ROWS = "test_rows.parquet"


class DataError(StepError):
    """Data that cannot be obtained, or that differ from the saved ones."""


@dataclass(frozen=True)
class Split:
    """Samples of one split, read-only.

    Attributes:
        features: (n, n_features) in their stored dtype: uint8 for images, float32 for tables.
        targets: (n,) int32 class numbers, or float32 numbers in the target's own units.
        weights: (n,) float32, how much each row counts in the training loss; None if all count the same.
    """

    features: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        for array in self.arrays.values():
            array.flags.writeable = False

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that are not None, by the stems of their files."""
        found = {"features": self.features, "targets": self.targets}
        return found if self.weights is None else {**found, "weights": self.weights}

    def __len__(self) -> int:
        return len(self.targets)

    def rows(self, indices: np.ndarray) -> Split:
        """A copy of the rows at these indices."""
        return Split(**{name: array[indices] for name, array in self.arrays.items()})

    def digest(self) -> str:
        """SHA-256 over dtype, shape and content."""
        return array_digest(self.arrays.values())


@dataclass(frozen=True)
class RawTable:
    """The table from which a data set was made.

    Attributes:
        table: All rows and columns.
        rows: By split, the positions of its rows in the table, in the order of the split.
        test: Table of the test rows if they are not in `table`.
        are_copies: Whether equal rows are copies; see `RowFacts`.
    """

    table: pa.Table
    rows: Mapping[str, np.ndarray]
    test: pa.Table | None
    are_copies: bool


@dataclass(frozen=True)
class Dataset:
    """Named splits of one data set.

    Attributes:
        name: Word for the default name of a model.
        splits: Any of `train`, `validation`, `test`; a step loads only those it may see. With folds there is no
            `validation`, and `fold_<i>_train` and `fold_<i>_validation` are parts of `train`, encoded on their own.
        target: The column that is predicted.
        request: The request from which the data can be loaded again.
        source: Origin of the data, for people.
        feature_max: Largest value that a feature can take; the model scales by it. 1 for tables.
        image_shape: (height, width) or (height, width, 3) if a row of features is an image, else None.
        level_counts: The last features are indices into one table of embeddings; this is the number of its rows for
            each of them. The first row of each stands for missing or unseen categories.
        columns: Tables only: the schema and the encoding.
        profile: Distributions of the training and validation rows; None for data that another version has saved.
        test_rows: Tables only: all raw columns of the test split; None unless that split is loaded.
        raw: Tables only, as they were loaded from their source: the table before it was split and encoded.
        notes: Remarks made while the data were read, a sentence each.
        digest: SHA-256 over all splits, including those that were not loaded.
    """

    name: str
    splits: Mapping[str, Split]
    target: Target
    request: DataRequest
    source: str
    feature_max: float = 1.0
    image_shape: tuple[int, ...] | None = None
    level_counts: tuple[int, ...] = ()
    columns: Columns | None = None
    profile: Profile | None = None
    test_rows: pa.Table | None = None
    raw: RawTable | None = None
    notes: tuple[str, ...] = ()
    digest: str = ""

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", _combined({name: split.digest() for name, split in self.splits.items()}))

    @property
    def n_features(self) -> int:
        return int(next(iter(self.splits.values())).features.shape[1])

    @property
    def whole_splits(self) -> dict[str, Split]:
        """The loaded splits that are not part of another one; each row occurs once."""
        return {name: self.splits[name] for name in SPLITS if name in self.splits}

    @property
    def folds(self) -> tuple[tuple[Split, Split], ...]:
        """Pairs of training and validation rows that score a config: one pair per fold, or a single holdout pair."""
        if "validation" in self.splits:
            return ((self.splits["train"], self.splits["validation"]),)
        n = sum(name.startswith("fold_") for name in self.splits) // 2
        names = ((f"fold_{i}_train", f"fold_{i}_validation") for i in range(1, n + 1))
        return tuple((self.splits[train], self.splits[validation]) for train, validation in names)

    @property
    def test_input(self) -> Any:
        """The test split as input of a registered model: the raw rows of a table as a DataFrame, or the features."""
        if self.columns is None or self.test_rows is None:
            return np.asarray(self.splits["test"].features)
        # Arrow's types keep large integers exact in columns with missing values; NumPy's would not.
        return self.test_rows.select(self.columns.schema.names).to_pandas(types_mapper=pd.ArrowDtype)

    def with_interval(self, interval: PredictionInterval | None) -> Dataset:
        """The same table with the intervals that a model of it states; data that are no table stay as they are."""
        return replace(self, columns=replace(self.columns, interval=interval)) if self.columns else self

    def with_decision(self, decision: Decision | None) -> Dataset:
        """The same data with the decision between two classes that a model of them takes."""
        return self._with_target(replace(self.target, decision=decision))

    def with_sets(self, sets: PredictionSets | None) -> Dataset:
        """The same data with the prediction sets that a model of them states."""
        return self._with_target(replace(self.target, sets=sets))

    def _with_target(self, target: Target) -> Dataset:
        columns = replace(self.columns, target=target) if self.columns else None
        return replace(self, target=target, columns=columns)

    def save(self, folder: Path) -> None:
        """Write `<split>_<array>.npy` for each array, and last `dataset.json`.

        `profile.json` has the profile. A table also gets `columns.json`, and `test_rows.parquet` with the raw rows of
        its test split.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for name, split in self.splits.items():
            for part, array in split.arrays.items():
                np.save(folder / f"{name}_{part}.npy", array, allow_pickle=False)
        if self.columns:
            (folder / COLUMNS).write_text(self.columns.to_json(), encoding="utf-8")
        if self.profile:
            (folder / PROFILE).write_text(self.profile.to_json(), encoding="utf-8")
        if self.test_rows is not None:
            pq.write_table(self.test_rows, folder / _TEST_ROWS)
        description = {
            "name": self.name,
            "source": self.source,
            "digest": self.digest,
            "splits": {
                name: {"samples": len(split), "arrays": list(split.arrays), "digest": split.digest()}
                for name, split in self.splits.items()
            },
            "target": self.target.to_json(),
            "request": self.request.to_json(),
            "feature_max": self.feature_max,
            "image_shape": self.image_shape,
            "level_counts": self.level_counts,
            "notes": self.notes,
            "test_rows": None if self.test_rows is None else file_digest(folder / _TEST_ROWS),
        }
        (folder / "dataset.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, splits: Collection[str] = SPLITS) -> Dataset:
        """Memory-map the given splits and verify their content.

        Args:
            splits: Names, or `FOLDS` for all folds; names that the data do not have are ignored.

        Raises:
            DataError: A file is missing, unreadable, or differs from the saved one.
        """
        path = folder / "dataset.json"
        try:
            about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            digests = {name: split["digest"] for name, split in about["splits"].items()}
            if _combined(digests) != about["digest"]:
                raise DataError(f"{path}: checksum expected {about['digest']}, found {_combined(digests)}")
            return cls(
                name=about["name"],
                splits={
                    name: _load_split(folder, name, split)
                    for name, split in about["splits"].items()
                    if name in splits or (name.startswith("fold_") and FOLDS in splits)
                },
                target=Target.from_json(about["target"]),
                request=DataRequest.from_json(about["request"]),
                source=about["source"],
                feature_max=about["feature_max"],
                image_shape=tuple(about["image_shape"]) if about["image_shape"] else None,
                level_counts=tuple(about["level_counts"]),
                columns=_load_columns(folder / COLUMNS),
                profile=_load_profile(folder / PROFILE),
                test_rows=_load_rows(folder / _TEST_ROWS, about["test_rows"]) if "test" in splits else None,
                notes=tuple(about["notes"]),
                digest=about["digest"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: not a readable data set ({type(error).__name__}: {error})") from error


def _load_split(folder: Path, name: str, about: Mapping[str, Any]) -> Split:
    arrays = {}
    for part in about["arrays"]:
        path = folder / f"{name}_{part}.npy"
        try:
            arrays[part] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"{path}: unreadable ({error}); delete its run and run the step download again") from error
    split = Split(**arrays)
    if (found := split.digest()) != (expected := about["digest"]):
        raise DataError(
            f"{folder}/{name}_*.npy: checksum expected {expected}, found {found}; run the step download again"
        )
    return split


def _load_columns(path: Path) -> Columns | None:
    return Columns.from_json(path.read_text(encoding="utf-8")) if path.exists() else None


def _load_profile(path: Path) -> Profile | None:
    return Profile.from_json(path.read_text(encoding="utf-8")) if path.exists() else None


def _load_rows(path: Path, expected: str | None) -> pa.Table | None:
    if expected is None:
        return None
    if (found := file_digest(path)) != expected:
        raise DataError(f"{path}: checksum expected {expected}, found {found}; run the step download again")
    return pq.read_table(path)


def _combined(digests: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(f"{name}:{digests[name]}\n" for name in sorted(digests)).encode()).hexdigest()
