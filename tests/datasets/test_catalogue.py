from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from steps.base.errors import InputError
from steps.datasets import DataError, Dataset, catalogue
from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest


def test_mnist_is_the_published_one_and_split_by_class() -> None:
    mnist = load_dataset(DataRequest("mnist"))
    assert {name: len(split) for name, split in mnist.splits.items()} == {
        "train": 50_000, "validation": 10_000, "test": 10_000,
    }  # fmt: skip
    assert np.bincount(mnist.splits["test"].targets).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    whole = np.bincount(np.concatenate([mnist.splits["train"].targets, mnist.splits["validation"].targets]))
    assert np.abs(np.bincount(mnist.splits["validation"].targets) - whole / 6).max() < 1
    assert mnist.splits["train"].features.dtype == np.uint8
    assert not mnist.splits["train"].features.flags.writeable


def test_the_seed_moves_train_and_validation_but_never_test() -> None:
    first, same, other = (load_dataset(DataRequest("digits", validation_fraction=0.2, seed=seed)) for seed in (0, 0, 1))
    assert first.digest == same.digest != other.digest
    assert first.splits["test"].digest() == other.splits["test"].digest()


def test_a_split_too_small_for_every_class_is_refused() -> None:
    with pytest.raises(InputError, match=r"got 0\.001 of"):
        load_dataset(DataRequest("digits", validation_fraction=0.001, seed=0))


@pytest.mark.parametrize("damage", ["truncated", "changed", "empty"])
def test_a_damaged_file_is_named_with_both_checksums(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(catalogue.MNIST_FOLDER, tmp_path / "mnist")
    path = folder / "train-labels-idx1-ubyte.gz"
    content = path.read_bytes()
    path.write_bytes({"truncated": content[:-100], "changed": gzip.compress(b"x" * 99), "empty": b""}[damage])
    monkeypatch.setattr(catalogue, "MNIST_FOLDER", folder)
    with pytest.raises(DataError, match=f"{path.name}: checksum expected 65a50cbb.*, found"):
        load_dataset(DataRequest("mnist"))


def test_saved_and_loaded_is_the_same_and_memory_mapped(digits: Dataset, tmp_path: Path) -> None:
    digits.save(tmp_path)
    loaded = Dataset.load(tmp_path, ("train", "validation"))
    assert set(loaded.splits) == {"train", "validation"}
    assert loaded.digest == digits.digest
    assert isinstance(loaded.splits["train"].features, np.memmap)
    np.testing.assert_array_equal(loaded.splits["train"].features, digits.splits["train"].features)


@pytest.mark.parametrize("name", ["train_features.npy", "validation_targets.npy", "dataset.json"])
def test_every_load_verifies(name: str, digits: Dataset, tmp_path: Path) -> None:
    digits.save(tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[-40] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError):
        Dataset.load(tmp_path)
