"""Shared by the tests of several processes: a cluster of real servers, and the undisturbed study to compare with."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.cluster import Cluster
from tests.survival import Study

N_TRIALS = 12
MakeStudy = Callable[[str], Study]


@pytest.fixture(scope="module")
def baseline_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """An undisturbed study in one process; those on the cluster have the same points."""
    study = Study(tmp_path_factory.mktemp("scale"), "baseline", N_TRIALS)
    study.finish()
    return study


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, Cluster(Path(folder)) as running:
        yield running


@pytest.fixture
def on_cluster(baseline_study: Study, cluster: Cluster) -> MakeStudy:
    """Makes a study like the undisturbed one, on the cluster."""

    def make(name: str) -> Study:
        environment = cluster.environment()
        return Study(
            baseline_study.folder, name, N_TRIALS, environment["TUNE_STORAGE"],
            extra={"MLFLOW_TRACKING_URI": environment["MLFLOW_TRACKING_URI"]},
            options=("--engine", "dask", "--address", cluster.address, "--n-jobs", "1"),
        )  # fmt: skip

    return make
