from __future__ import annotations

from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from steps.base.errors import InputError
from steps.tracking.runs import experiment_id, given_experiment, step_run
from tests.running import run_step

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


@pytest.fixture
def deleted(tracking: Path) -> str:
    """ID of the experiment "gone", which is deleted."""
    found = str(mlflow.create_experiment("gone"))
    MlflowClient().delete_experiment(found)
    return found


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"MLFLOW_EXPERIMENT_ID": "999"}, "must be the ID of an experiment, got '999', which does not exist"),
        ({"MLFLOW_EXPERIMENT_ID": "customers"}, "must be the ID of an experiment, got 'customers', which does not"),
        ({"MLFLOW_EXPERIMENT_ID": "{}"}, "got MLFLOW_EXPERIMENT_ID={}; bring it back with: mlflow experiments restore"),
        ({"MLFLOW_EXPERIMENT_NAME": "gone"}, "got MLFLOW_EXPERIMENT_NAME=gone; .* restore --experiment-id {}"),
        ({"MLFLOW_EXPERIMENT_NAME": "gone", "MLFLOW_EXPERIMENT_ID": "0"}, "got MLFLOW_EXPERIMENT_NAME=gone"),
    ],
)
def test_an_experiment_that_cannot_be_used_is_refused(
    variables: dict[str, str], reason: str, deleted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(deleted))
    for ask in (experiment_id, given_experiment):
        with pytest.raises(InputError, match=reason.format(deleted)):
            ask()


def test_a_deleted_default_experiment_is_named(tracking: Path) -> None:
    MlflowClient().delete_experiment("0")
    with pytest.raises(InputError, match="got Default; bring it back with: mlflow experiments restore"):
        experiment_id()


def test_the_experiment_is_the_given_one_or_a_new_one(tracking: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert experiment_id() == "0"
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "")  # as good as not set
    assert experiment_id() == "0"
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "new")
    assert given_experiment() is None
    new = experiment_id()
    assert MlflowClient().get_experiment(new).name == "new"
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", new)
    assert experiment_id() == new


def test_download_refuses_it_before_it_reads_the_data(deleted: str, tracking: Path) -> None:
    done = run_step(tracking, "download", "--dataset", "digits", MLFLOW_EXPERIMENT_NAME="gone")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
