"""Steps that start others, and steps that `mlflow run` starts: each failure is one line, and stays on the run."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from steps.tracking.given_run import failure_of, keep_failure
from tests.conftest import Step
from tests.running import REPOSITORY, child_runs, copy_project, module, run_command, run_project

WRONG_TARGET = "target must be empty for images, which have no columns, got 'nope'"


def runs(folder: Path) -> list[Run]:
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    return list(MlflowClient().search_runs(["0"], order_by=["attributes.start_time ASC"]))


def kept(run: Run) -> tuple[str | None, ...]:
    return (run.info.status, *(run.data.tags.get(name) for name in ("error", "exit_code")))


def test_the_failure_of_a_child_is_one_line_with_its_exit_code(step: Step, tmp_path: Path) -> None:
    done = step("main", "--dataset", "digits", "--target", "nope")
    assert (done.returncode, done.stderr) == (2, f"Error: {WRONG_TARGET}\n")
    main, download = runs(tmp_path)
    assert kept(main)[:2] == ("FAILED", f"download: {WRONG_TARGET}")
    assert kept(download) == ("FAILED", WRONG_TARGET, "2")


@pytest.mark.slow
def test_it_is_one_line_through_mlflow_run_too_also_in_a_folder_with_a_number_sign(tmp_path: Path) -> None:
    clone = copy_project(tmp_path / "clone #1")
    command = module("mlflow", "run", ".", "-e", "main", "--env-manager", "local", "-P", "dataset=digits")
    done = run_command([*command, "-P", "target=nope"], tmp_path, cwd=clone)
    said = [line for line in done.stderr.splitlines() if "Error" in line]
    assert (done.returncode, said) == (1, [f"Error: {WRONG_TARGET}"])  # mlflow run knows no other code than 1
    main, download = runs(tmp_path)
    assert kept(main) == ("FAILED", f"download: {WRONG_TARGET}", "2")
    assert [run.info.run_id for run in child_runs(MlflowClient(), main)] == [download.info.run_id]


@pytest.mark.parametrize(
    ("entry", "parameters", "reason"),
    [
        pytest.param("download", {"dataset": "cifar"}, "dataset must be ", marks=pytest.mark.slow),
        ("tune", {"n_trials": "0"}, "n_trials must be a whole number of at least 1, got '0'"),
        pytest.param("evaluate", {}, "tune_run_id must be given", marks=pytest.mark.slow),
    ],
)
def test_a_run_whose_step_never_began_says_why(
    entry: str, parameters: dict[str, str], reason: str, tracking: Path
) -> None:
    done = run_project(tracking, entry, **parameters)
    assert f"Error: {reason}" in done.stderr
    (run,) = runs(tracking)
    status, error, code = kept(run)
    assert (status, code) == ("FAILED", "2")
    assert str(error).startswith(reason)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("entry", "parameters", "reason", "code"),
    [
        (
            "download",
            {"dataset": "rows.csv"},
            "dataset must be a CSV file, got '{folder}/rows.csv', which is a ZIP",
            "2",
        ),
        ("tune", {"space": "space.yaml"}, "space {folder}/space.yaml, line 2: ", "2"),
        ("tune", {"warm_start": "nowhere"}, "warm_start must be the ID of a tune run or the name of a study", "2"),
        ("evaluate", {"model_name": "team/digits"}, "model_name must be ", "2"),
        ("tune", {"storage": "postgresql://127.0.0.1:1/studies"}, "the study's database postgresql", "1"),
    ],
    ids=["file", "space", "source", "name", "server"],
)
def test_what_is_known_before_a_step_begins_is_said_through_mlflow_run(
    entry: str, parameters: dict[str, str], reason: str, code: str, tracking: Path
) -> None:
    (tracking / "rows.csv").write_bytes(b"PK\x03\x04" + bytes(100))
    (tracking / "space.yaml").write_text("n_layers: [1\n")
    for name in parameters.keys() & {"dataset", "space"}:
        parameters = {name: str(tracking / parameters[name])}
    done = run_project(tracking, entry, **parameters)
    assert f"Error: {reason.format(folder=tracking)}" in done.stderr
    assert "Traceback" not in done.stderr
    (run,) = runs(tracking)
    assert (run.info.status, run.data.tags["exit_code"]) == ("FAILED", code)


def test_a_relative_store_means_another_one_in_the_folder_of_the_project(tracking: Path) -> None:
    before = sorted(path.name for path in REPOSITORY.iterdir())
    command = module("mlflow", "run", str(REPOSITORY), "-e", "registry", "--env-manager", "local")
    done = run_command(command, tracking, MLFLOW_TRACKING_URI="sqlite:///mlflow.db")
    assert "Error: MLFLOW_TRACKING_URI must be absolute" in done.stderr
    assert "got 'sqlite:///mlflow.db'" in done.stderr
    assert sorted(path.name for path in REPOSITORY.iterdir()) == before  # no second store


@pytest.mark.slow
def test_a_relative_store_is_right_if_mlflow_run_is_typed_in_the_project(tmp_path: Path) -> None:
    clone = copy_project(tmp_path / "clone")
    command = module("mlflow", "run", ".", "-e", "registry", "--env-manager", "local")
    done = run_command(command, tmp_path, cwd=clone, MLFLOW_TRACKING_URI="sqlite:///mlflow.db")
    assert done.returncode == 0, done.stderr
    assert "Nothing is registered yet" in done.stdout


@pytest.mark.parametrize("tags", [{}, {"mlflow.project.entryPoint": "tune"}, {"pipeline.step": "download"}])
def test_a_failure_is_kept_on_no_other_run(tags: dict[str, str], tracking: Path) -> None:
    foreign = MlflowClient().create_run("0", tags=tags)
    for run_id in (foreign.info.run_id, "0" * 32):
        keep_failure("download", run_id, "a reason", 2)
    (left,) = runs(tracking)
    assert kept(left) == ("RUNNING", None, None)
    assert failure_of("download", foreign.info.run_id) is None
