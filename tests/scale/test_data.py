"""A machine that is not the one of the artifacts fetches a data set once, and never trusts its copy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from deploy.cluster import Cluster
from steps.tracking.data import load_data
from tests.running import run_step, succeeded


@pytest.fixture
def data_run(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """ID of a download run of digits on the cluster's MLflow server; the user's cache is `tmp_path`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    succeeded(run_step(tmp_path, "download", "--dataset", "digits", **cluster.environment()))
    client = MlflowClient(cluster.tracking_uri)
    (run,) = client.search_runs(["0"], "params.dataset = 'digits'")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(cluster.tracking_uri)
    yield run.info.run_id
    mlflow.set_tracking_uri(before)


@pytest.mark.slow
def test_the_data_set_is_fetched_once_and_again_when_damaged(data_run: str, cluster: Cluster, tmp_path: Path) -> None:
    first = load_data(data_run, ("train", "validation"))
    (artifacts,) = cluster.folder.glob(f"artifacts/**/{data_run}/artifacts")
    away = artifacts.rename(artifacts.with_name("away"))
    assert load_data(data_run, ("train", "validation")).digest == first.digest

    away.rename(artifacts)
    (cached,) = tmp_path.glob("mlp-tuning/datasets/*/")
    damaged = max(cached.iterdir(), key=lambda path: path.stat().st_size)
    os.truncate(damaged, damaged.stat().st_size - 1)
    assert load_data(data_run, ("train", "validation")).digest == first.digest
    assert {path.name for path in cached.parent.iterdir()} == {cached.name, f"{cached.name}.lock"}
