"""The frozen data set that travels between steps as memory-mapped `.npy` files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from steps.base.errors import StepError
from steps.base.files import array_digest

SPLITS = ("train", "validation", "test")


class DataError(StepError):
    """Data that cannot be obtained, or differ from what was saved."""


@dataclass(frozen=True)
class Split:
    """Samples of one split, read-only.

    Attributes:
        features: (n, n_features) in their stored dtype (uint8 for images), in [0, feature_max].
        targets: (n,) int32, in [0, n_classes).
    """

    features: np.ndarray
    targets: np.ndarray

    def __post_init__(self) -> None:
        for array in (self.features, self.targets):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.targets)

    def digest(self) -> str:
        """SHA-256 over dtype, shape and content."""
        return array_digest((self.features, self.targets))


@dataclass(frozen=True)
class Dataset:
    """Named splits of one data set.

    Attributes:
        name: Its name in the catalogue.
        splits: Any of `train`, `validation`, `test`; a step loads only those it may see.
        class_names: One per class.
        feature_max: Largest value that a feature can take; the model scales by it.
        image_shape: (height, width) where a row of features is an image, else None.
        source: Where the data come from, for people.
        digest: SHA-256 over all splits, also those that were not loaded.
    """

    name: str
    splits: Mapping[str, Split]
    class_names: tuple[str, ...]
    feature_max: float
    image_shape: tuple[int, int] | None
    source: str
    digest: str = ""

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", _combined({name: split.digest() for name, split in self.splits.items()}))

    @property
    def n_features(self) -> int:
        return int(next(iter(self.splits.values())).features.shape[1])

    def save(self, folder: Path) -> None:
        """Write `<split>_features.npy`, `<split>_targets.npy` and `dataset.json`, the last one last."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, split in self.splits.items():
            np.save(folder / f"{name}_features.npy", split.features, allow_pickle=False)
            np.save(folder / f"{name}_targets.npy", split.targets, allow_pickle=False)
        description = {
            "name": self.name,
            "source": self.source,
            "digest": self.digest,
            "splits": {name: {"samples": len(split), "digest": split.digest()} for name, split in self.splits.items()},
            "class_names": list(self.class_names),
            "feature_max": self.feature_max,
            "image_shape": self.image_shape,
        }
        (folder / "dataset.json").write_text(json.dumps(description, indent=2) + "\n")

    @classmethod
    def load(cls, folder: Path, splits: Iterable[str] = SPLITS) -> Dataset:
        """Memory-map the named splits and verify their content.

        Raises:
            DataError: A file that is missing, unreadable, or not the one that was saved.
        """
        path = folder / "dataset.json"
        try:
            about: dict[str, Any] = json.loads(path.read_text())
            digests = {name: split["digest"] for name, split in about["splits"].items()}
            if _combined(digests) != about["digest"]:
                raise DataError(f"{path}: checksum expected {about['digest']}, found {_combined(digests)}")
            return cls(
                name=about["name"],
                splits={name: _load_split(folder, name, digests[name]) for name in splits},
                class_names=tuple(about["class_names"]),
                feature_max=about["feature_max"],
                image_shape=tuple(about["image_shape"]) if about["image_shape"] else None,
                source=about["source"],
                digest=about["digest"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: not a readable data set ({type(error).__name__}: {error})") from error


def _load_split(folder: Path, name: str, expected: str) -> Split:
    arrays = []
    for part in ("features", "targets"):
        path = folder / f"{name}_{part}.npy"
        try:
            arrays.append(np.load(path, mmap_mode="r", allow_pickle=False))
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"{path}: unreadable ({error}); delete its run and run the step download again") from error
    split = Split(*arrays)
    if (found := split.digest()) != expected:
        raise DataError(
            f"{folder}/{name}_*.npy: checksum expected {expected}, found {found}; run the step download again"
        )
    return split


def _combined(digests: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(f"{name}:{digests[name]}\n" for name in sorted(digests)).encode()).hexdigest()
