"""Artifacts that are not where their run says, or not what this version writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import mlflow
import pytest

from steps.base.errors import InputError
from steps.tracking.artifacts import read_artifact


@pytest.fixture
def run_id(tracking: Path) -> str:
    with mlflow.start_run() as run:
        mlflow.log_text('{"a": 1}', "kept.json")
    return str(run.info.run_id)


def test_an_artifact_is_read_and_leaves_no_copy(run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    assert read_artifact(run_id, "kept.json", json.loads) == {"a": 1}
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize(
    "parse",
    [
        lambda content: json.loads(content + b"}"),
        lambda content: json.loads(content)["b"],
        lambda content: json.loads(content)[0],
        lambda content: int(json.loads(content)),
        lambda content: content.decode("utf-32"),
        lambda content: json.loads(content).b,
    ],
)
def test_what_another_version_wrote_is_one_line(parse: object, run_id: str) -> None:
    with pytest.raises(InputError, match=rf"^the artifact kept.json of run {run_id} must be as this version"):
        read_artifact(run_id, "kept.json", parse)


def test_a_missing_artifact_is_named_with_its_place(run_id: str, tracking: Path) -> None:
    folder = f"{tracking}/mlruns/0/{run_id}/artifacts"
    with pytest.raises(InputError, match=rf"^run {run_id} must have the artifact best.json in {folder}"):
        read_artifact(run_id, "best.json", json.loads)


def test_a_store_that_was_moved_is_found_beside_its_database(run_id: str, tracking: Path) -> None:
    old, new = tracking / "old place", tracking / "new place"
    with mlflow.start_run() as run:  # as if made in the old place
        pass
    for name in ("moved", "gone"):
        experiment = mlflow.create_experiment(name, f"{old}/mlruns/{name}")
        with mlflow.start_run(experiment_id=experiment) as run:
            mlflow.log_text("{}", "kept.json")
        if name == "moved":
            moved = run.info.run_id
    shutil.move(old, new)
    shutil.rmtree(new / "mlruns" / "gone")
    shutil.copy(tracking / "mlflow.db", new)
    mlflow.set_tracking_uri(f"sqlite:///{new}/mlflow.db")
    with pytest.raises(
        InputError, match=f"which has none; they are in {new} now: move them back, or run: ln -s "
    ) as error:
        read_artifact(moved, "kept.json", json.loads)
    assert str(error.value).endswith(f"ln -s '{new}' '{old}'")
    with pytest.raises(InputError, match="which has none; put them there again, or run its step again"):
        read_artifact(run.info.run_id, "kept.json", json.loads)
