"""Paths are relative to the folder of the command, whatever folder a step works in."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from steps.base.paths import absolute_uri, absolute_url, anchor_environment
from tests.running import REPOSITORY, child_runs, run_step, step_runs, succeeded

SPACE = "n_layers: 1\nunits: {type: categorical, choices: [8, 16], repeat: n_layers}\n"


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("sqlite:///study.db", "sqlite:///{}/study.db"),
        ("sqlite+pysqlite:///a/b.db?timeout=5", "sqlite+pysqlite:///{}/a/b.db?timeout=5"),
        ("sqlite:///~/study.db", "sqlite:///{}/home/study.db"),
        ("sqlite:///what%3F/100%25.db?timeout=5", "sqlite:///{}/what%3F/100%25.db?timeout=5"),
        *(
            (url, url)
            for url in ("sqlite:////tmp/s.db", "sqlite://", "sqlite:///:memory:", "postgresql://h/d", "nonsense")
        ),
    ],
)
def test_only_the_url_of_a_relative_sqlite_file_changes(
    url: str, whole: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert absolute_url(url) == whole.format(tmp_path)


@pytest.mark.parametrize(
    ("uri", "whole"),
    [
        ("mlruns", "{}/mlruns"),
        ("./mlruns", "{}/mlruns"),
        ("~/mlruns", "{}/home/mlruns"),
        ("file:mlruns", "file://{}/mlruns"),
        ("file:./mlruns", "file://{}/mlruns"),
        ("file:~/a%20b", "file://{}/home/a%20b"),
        ("file:///~/mlruns", "file://{}/home/mlruns"),
        ("sqlite:///~/mlflow.db", "sqlite:///{}/home/mlflow.db"),
        *(
            (uri, uri)
            for uri in (
                "", "/a/mlruns", "file:/a", "file:///a/b", "file://host/a", "http://[::1", "https://me@host/p",
                "databricks", "databricks-uc", "databricks://me", "postgresql://h/d", "mssql+pyodbc://h/d",
            )
        ),
    ],
)  # fmt: skip
def test_a_store_of_mlflow_may_also_be_a_folder(
    uri: str, whole: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert absolute_uri(uri) == {"file:/a": "file:///a"}.get(uri, whole).format(tmp_path)


def test_the_environment_of_later_steps_holds_in_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    monkeypatch.setenv("TUNE_CHECKPOINTS", "kept")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("TUNE_STORAGE", raising=False)
    for relative in ({"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}, {}):
        assert anchor_environment() == relative
        assert os.environ["MLFLOW_TRACKING_URI"] == f"sqlite:///{tmp_path}/mlflow.db"
        assert os.environ["TUNE_CHECKPOINTS"] == str(tmp_path / "kept")
        assert os.environ["PATH"] == f"{Path(sys.executable).parent}:/usr/bin:/bin"
        assert "TUNE_STORAGE" not in os.environ


@pytest.mark.slow
def test_main_takes_relative_paths_and_finds_its_python(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "narrow.yaml").write_text(SPACE)
    (folder / "points.json").write_text('[{"units_0": 16}]')
    # As typed where the environment is not activated: its folder is not on the PATH.
    options = ["--space", "narrow.yaml", "--points", "points.json", "--storage", "sqlite:///study.db"]
    budget = ("--n-trials", "1", "--max-epochs", "1", "--final-epochs", "1")
    small = ("--dataset", "digits", *budget)
    before = sorted(path.name for path in REPOSITORY.iterdir())
    relative = {"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db", "PATH": "/usr/bin:/bin"}
    said = succeeded(run_step(folder, "main", *small, *options, **relative))
    assert f"mlflow ui --backend-store-uri 'sqlite:///{folder}/mlflow.db'\n" in said  # it can be pasted
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    client = MlflowClient()
    (run,) = step_runs(client, "tune")
    assert shlex.split(run.data.params["space"]) == [str(folder / "narrow.yaml")]  # MLflow records it quoted
    assert [trial.data.params["units_0"] for trial in child_runs(client, run)] == ["16"]
    assert {"mlflow.db", "mlruns", "study.db"} <= {path.name for path in folder.iterdir()}
    assert sorted(path.name for path in REPOSITORY.iterdir()) == before
