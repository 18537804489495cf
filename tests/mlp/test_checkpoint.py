from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from steps.datasets import Dataset
from steps.datasets.interface import Interface
from steps.mlp.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from steps.mlp.config import MLPConfig, Optimizer
from steps.mlp.trainer import Samples, Trainer

KEY = {"seed": 0, "hyperparameters": {"units_0": 32}}
CONFIGS = [
    *(MLPConfig(units=(32, 16), optimizer=o, weight_decay=0.01, dropout=0.2) for o in get_args(Optimizer)),
    MLPConfig(units=(32,), batch_norm=False, augmentation="affine", schedule="constant"),
]


@pytest.fixture(scope="module")
def make(digits: Dataset) -> Callable[[MLPConfig], Trainer]:
    train, validation = (Samples.of(digits.splits[name]) for name in ("train", "validation"))
    return lambda config: Trainer(config, train, validation, interface=Interface.of(digits), epochs=4, seed=0)


def metrics_of(trainer: Trainer) -> dict[str, float]:
    """Train one epoch; numbers that tell one result from another."""
    epoch = trainer.run_epoch()
    assert epoch.outputs is not None
    return {"train_loss": epoch.train_loss, "first_output": float(epoch.outputs[0, 0])}


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.optimizer}-{c.augmentation}")
def test_training_goes_on_bit_for_bit(make: Callable[[MLPConfig], Trainer], config: MLPConfig, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "trial.ckpt"
    whole = make(config)
    metrics = [metrics_of(whole) for _ in range(2)]
    save_checkpoint(path, whole, metrics, KEY)
    rest = [metrics_of(whole) for _ in range(2)]

    continued = make(config)
    assert load_checkpoint(path, continued, KEY) == metrics
    assert continued.epoch == 2
    assert [metrics_of(continued) for _ in range(2)] == rest
    assert len(whole.variables) == len(continued.variables)
    for ours, theirs in zip(whole.variables, continued.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_all_state_is_listed(make: Callable[[MLPConfig], Trainer]) -> None:
    adam = make(MLPConfig(units=(32, 16)))
    weights = 2 * 5 + 2  # of each hidden layer a kernel and batch norm's four; kernel and bias of the output
    trainable = 2 * 3 + 2
    assert len(adam.variables) == weights + 2 * trainable
    assert {variable.dtype.name for variable in adam.variables} == {"float32"}


@pytest.fixture
def saved(make: Callable[[MLPConfig], Trainer], tmp_path: Path) -> tuple[Path, Trainer, list[dict[str, float]]]:
    trainer = make(MLPConfig(units=(8,)))
    metrics = [metrics_of(trainer)]
    save_checkpoint(tmp_path / "trial.ckpt", trainer, metrics, KEY)
    return tmp_path / "trial.ckpt", trainer, metrics


def test_a_damaged_file_is_told_and_changes_nothing(
    saved: tuple[Path, Trainer, list[dict[str, float]]], make: Callable[[MLPConfig], Trainer]
) -> None:
    path, *_ = saved
    content = path.read_bytes()
    fresh = make(MLPConfig(units=(8,)))
    before = [variable.numpy() for variable in fresh.variables]
    for position in (0, 31, 32, 40, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        with pytest.raises(CheckpointError, match="is damaged"):
            load_checkpoint(path, fresh, KEY)
    for length in (0, 20, 32, 36, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match="is damaged"):
            load_checkpoint(path, fresh, KEY)
    for old, variable in zip(before, fresh.variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())
    assert fresh.epoch == 0


def test_the_file_of_another_training_is_told(
    saved: tuple[Path, Trainer, list[dict[str, float]]], make: Callable[[MLPConfig], Trainer]
) -> None:
    path, trainer, _ = saved
    for other, key in ((trainer, {**KEY, "seed": 1}), (make(MLPConfig(units=(9,))), KEY)):
        with pytest.raises(CheckpointError, match="is of another training"):
            load_checkpoint(path, other, key)


def test_a_full_disk_keeps_the_old_file(
    saved: tuple[Path, Trainer, list[dict[str, float]]], small_disk: Callable[[int], None]
) -> None:
    path, trainer, metrics = saved
    old = path.read_bytes()
    small_disk(len(old) // 2)
    with pytest.raises(OSError, match="File too large"):
        save_checkpoint(path, trainer, [*metrics, *metrics], KEY)
    assert path.read_bytes() == old
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_it_is_small_and_nothing_without_a_file(
    saved: tuple[Path, Trainer, list[dict[str, float]]], make: Callable[[MLPConfig], Trainer], tmp_path: Path
) -> None:
    path, trainer, _ = saved
    state = sum(variable.numpy().nbytes for variable in trainer.variables)
    assert state < path.stat().st_size < state + 2000
    assert load_checkpoint(tmp_path / "none.ckpt", make(MLPConfig(units=(8,))), KEY) == []
