"""Outputs of a complete trial for the validation rows: an artifact of its run."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np

from steps.tracking.artifacts import read_artifact
from steps.tracking.files import RunFiles

ARTIFACT = "validation_outputs.npy"
N_KEPT = 16  # trials of a study that have outputs: the best ones by the primary metric, and the default beside them


def write_outputs(run_id: str, outputs: np.ndarray) -> None:
    """Write (n, n_outputs) float32, for the validation rows of all folds in order, as an artifact of a trial's run.

    Raises:
        MlflowException, OSError: The store does not take it.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ARTIFACT
        np.save(path, outputs, allow_pickle=False)
        RunFiles(run_id).upload(path, "")


def delete_outputs(run_id: str) -> None:
    """Delete the outputs of a trial, if there are any.

    Raises:
        MlflowException, OSError: The store does not delete them.
    """
    RunFiles(run_id).delete(ARTIFACT)


def read_outputs(run_id: str) -> np.ndarray | None:
    """The outputs (n, n_outputs) float32 of a trial; None if they are not kept.

    Raises:
        InputError: They cannot be read.
    """
    if ARTIFACT not in RunFiles(run_id).names(""):
        return None
    return read_artifact(run_id, ARTIFACT, _parse)


def _parse(content: bytes) -> np.ndarray:
    return np.asarray(np.load(io.BytesIO(content), allow_pickle=False))
