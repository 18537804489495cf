from __future__ import annotations

from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from steps.tracking.runs import step_run

PARAMETERS = {"dataset": "digits", "seed": 0}


def made_by_mlflow(**tags: str) -> Run:
    return MlflowClient().create_run("0", tags={"mlflow.source.type": "PROJECT", **tags})


def test_the_run_that_mlflow_made_for_a_step_is_the_steps(tracking: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = made_by_mlflow(**{"mlflow.project.entryPoint": "download"})
    monkeypatch.setenv("MLFLOW_RUN_ID", given.info.run_id)
    with step_run("download", PARAMETERS) as run:
        assert run.info.run_id == given.info.run_id
    assert MlflowClient().get_run(given.info.run_id).data.params == {}  # mlflow run has logged them


@pytest.mark.parametrize(
    "tags",
    [
        {},  # of a notebook or another program
        {"mlflow.project.entryPoint": "train"},  # of another project
        {"mlflow.project.entryPoint": "tune"},  # of another step
        {"mlflow.project.entryPoint": "download", "pipeline.step": "download"},  # of an earlier download
        None,  # deleted for good, or of another store
    ],
)
def test_a_run_of_something_else_is_left_alone(
    tags: dict[str, str] | None, tracking: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = "0" * 32 if tags is None else made_by_mlflow(**tags).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", foreign)
    with step_run("download", PARAMETERS) as run:
        assert run.info.run_id != foreign
    assert foreign in caplog.text
    assert MlflowClient().get_run(run.info.run_id).data.params == {"dataset": "digits", "seed": "0"}
    if tags is not None:
        left = MlflowClient().get_run(foreign)
        assert (left.info.status, set(left.data.tags) - {"mlflow.runName", *tags}) == (
            "RUNNING",
            {"mlflow.source.type"},
        )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("two\nlines, password=hunter2"), "two lines, password=***"),
        (KeyError("arrays"), "'arrays'"),
        (AssertionError(), "AssertionError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (OSError("x" * 10_000), "x" * 500),
    ],
)
def test_a_run_that_fails_says_why(error: BaseException, reason: str, tracking: Path) -> None:
    with pytest.raises(type(error)), step_run("tune", {}) as run:
        raise error
    ended = mlflow.get_run(run.info.run_id)
    assert (ended.info.status, ended.data.tags["error"]) == ("FAILED", reason)
