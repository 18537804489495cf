"""Checkpoints: the state of a training in one file, to continue exactly where it was interrupted.

A file is the SHA-256 of the rest, the length of the header (8 bytes, little-endian), the header (JSON) and
the variables as raw arrays. Random streams are functions of (seed, step), so the epoch is their whole state.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import tensorflow as tf

from steps.base.files import replacing

_DIGEST = hashlib.sha256().digest_size
_LENGTH = 8  # bytes


class Trainable(Protocol):
    """A training whose state can be saved: its variables in a fixed order, and the number of finished epochs."""

    epoch: int

    @property
    def variables(self) -> list[tf.Variable]: ...


class CheckpointError(Exception):
    """The file is damaged or belongs to another training; the message is one line."""


def save_checkpoint(
    path: Path, trainer: Trainable, history: Sequence[Mapping[str, float]], key: Mapping[str, object]
) -> None:
    """Write weights, optimizer state and epoch atomically: a reader finds the old file or the new one.

    Args:
        history: Metrics by name of the `trainer.epoch` finished epochs.
        key: Everything that determines the training; `load_checkpoint` requires an equal one.

    Raises:
        OSError: The disk is full or the folder is not writable; the old file is unchanged.
    """
    arrays = [np.ascontiguousarray(variable.numpy()) for variable in trainer.variables]
    header = json.dumps(
        {
            "key": key,
            "epoch": trainer.epoch,
            "history": [dict(metrics) for metrics in history],
            "arrays": [(array.dtype.str, array.shape) for array in arrays],
        }
    ).encode()
    length = len(header).to_bytes(_LENGTH, "little")
    parts: list[bytes | memoryview] = [length, header, *(array.data for array in arrays)]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    with replacing(path, durable=True) as draft, draft.open("wb") as file:
        file.writelines([digest.digest(), *parts])


def load_checkpoint(path: Path, trainer: Trainable, key: Mapping[str, object]) -> list[Mapping[str, float]]:
    """Restore the state of the file in a fresh trainer; returns the metrics of finished epochs, none without a file.

    Raises:
        CheckpointError: The file is unusable; the trainer is unchanged.
        OSError: The file cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    body = memoryview(content)[_DIGEST:]
    if hashlib.sha256(body).digest() != content[:_DIGEST]:
        raise CheckpointError(f"checkpoint {path} is damaged")
    start = _LENGTH + int.from_bytes(body[:_LENGTH], "little")
    header = json.loads(bytes(body[_LENGTH:start]))
    expected = [(variable.dtype.name, tuple(variable.shape)) for variable in trainer.variables]
    found = [(np.dtype(dtype).name, tuple(shape)) for dtype, shape in header["arrays"]]
    if header["key"] != json.loads(json.dumps(key)) or found != expected:
        raise CheckpointError(f"checkpoint {path} is of another training")
    for variable, (dtype, shape) in zip(trainer.variables, header["arrays"], strict=True):
        array: np.ndarray = np.frombuffer(body, np.dtype(dtype), int(np.prod(shape, dtype=np.int64)), start)
        variable.assign(array.reshape(shape))
        start += array.nbytes
    trainer.epoch = header["epoch"]
    return list(header["history"])
