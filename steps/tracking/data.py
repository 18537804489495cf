"""Data sets of download runs, wherever their artifacts are stored."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from mlflow.entities import LifecycleStage, Run, ViewType
from mlflow.tracking import MlflowClient

from steps.base.errors import InputError
from steps.base.files import made_cache_folder
from steps.datasets import Dataset
from steps.datasets.dataset import DataError
from steps.tracking.artifacts import absent
from steps.tracking.files import RunFiles
from steps.tracking.lock import file_lock
from steps.tracking.paging import pages
from steps.tracking.runs import experiment_id, newest_run
from steps.tracking.tags import DATASET_DIGEST_TAG

_STEP = "download"
_ARTIFACT = "dataset"


def newest_data_run() -> Run | None:
    """The newest download run of this experiment; None if the tracking store has none at all.

    An older data set is never used silently: a renamed experiment, a deleted run or moved files are errors.

    Raises:
        InputError: The newest one is deleted, in another experiment, or without its files.
    """
    client, own = MlflowClient(), experiment_id()
    newest = newest_run(_STEP, [own], ViewType.ALL)
    if newest is None:
        elsewhere = newest_run(_STEP, _all_experiments(client), ViewType.ALL)
        if elsewhere is None:
            return None
        raise InputError(
            f"data_run_id must be given, because the experiment {client.get_experiment(own).name!r} has no download "
            f"run; the newest one is {_described(elsewhere)} in the experiment "
            f"{client.get_experiment(elsewhere.info.experiment_id).name!r}"
        )
    if newest.info.lifecycle_stage == LifecycleStage.DELETED:
        kept = newest_run(_STEP, [own])
        if kept is not None and kept.data.tags.get(DATASET_DIGEST_TAG) == newest.data.tags.get(DATASET_DIGEST_TAG):
            return kept
        other = f"; or give another one: {_described(kept)}" if kept else ""
        raise InputError(
            f"data_run_id must be given, because the newest download run was deleted: {_described(newest)}; bring it "
            f"back with: mlflow runs restore --run-id {newest.info.run_id}{other}"
        )
    _check_present(RunFiles(newest.info.run_id), newest.info.run_id)
    return newest


def _all_experiments(client: MlflowClient) -> list[str]:
    return [found.experiment_id for found in pages(client.search_experiments, view_type=ViewType.ALL)]


def _described(run: Run) -> str:
    return f"{run.info.run_id} ({run.data.params.get('dataset', 'of unknown data')})"


def _check_present(files: RunFiles, run_id: str) -> None:
    if files.folder is not None and not (files.folder / _ARTIFACT).is_dir():
        raise absent(files, run_id, _ARTIFACT)


def load_data(data_run_id: str, splits: tuple[str, ...]) -> Dataset:
    """The data set of a download run, memory-mapped and verified; fetched once per machine if it is stored elsewhere.

    Raises:
        DataError: It differs from the logged one, even after it was fetched again.
        InputError: The run has no data set.
    """
    files = RunFiles(data_run_id)
    if files.folder is not None:
        _check_present(files, data_run_id)
        return Dataset.load(files.folder / _ARTIFACT, splits)
    folder = made_cache_folder() / "datasets" / MlflowClient().get_run(data_run_id).data.tags[DATASET_DIGEST_TAG]
    with file_lock(folder.with_suffix(".lock")):
        if folder.exists():
            try:
                return Dataset.load(folder, splits)
            except DataError:
                shutil.rmtree(folder)
        with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
            files.download(_ARTIFACT, Path(draft)).rename(folder)
    return Dataset.load(folder, splits)
