"""The data set of a download run, wherever its artifacts are."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from mlflow.tracking import MlflowClient

from steps.base.files import cache_folder
from steps.datasets import Dataset
from steps.datasets.dataset import DataError
from steps.tracking.files import RunFiles
from steps.tracking.lock import file_lock
from steps.tracking.runs import artifact_path
from steps.tracking.tags import DATASET_DIGEST_TAG

_ARTIFACT = "dataset"


def load_data(data_run_id: str, splits: tuple[str, ...]) -> Dataset:
    """The data set of a download run, memory-mapped and verified; fetched once per machine if it is stored elsewhere.

    Raises:
        DataError: It is not the one that was logged, also when it is fetched again.
        InputError: The run has none.
    """
    run = MlflowClient().get_run(data_run_id)
    if _is_local(run.info.artifact_uri):
        return Dataset.load(artifact_path(data_run_id, _ARTIFACT), splits)
    folder = cache_folder() / "datasets" / run.data.tags[DATASET_DIGEST_TAG]
    with file_lock(folder.with_suffix(".lock")):
        if folder.exists():
            try:
                return Dataset.load(folder, splits)
            except DataError:
                shutil.rmtree(folder)
        with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
            RunFiles(data_run_id).download(_ARTIFACT, Path(draft)).rename(folder)
    return Dataset.load(folder, splits)


def _is_local(artifact_uri: str) -> bool:
    return artifact_uri.startswith(("/", "file:", "./"))
