"""The user's commands, for real: `mlflow run`, then the tree of runs, the registry and the model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from tests.conftest import Step
from tests.running import (
    REPOSITORY,
    child_runs,
    copy_project,
    module,
    read_to,
    run_command,
    run_project,
    run_step,
    start_step,
    step_runs,
    succeeded,
)

SMALL = {
    "dataset": "digits",
    "n_trials": "4",
    "space": "small",
    "max_epochs": "3",
    "final_epochs": "60",
    "pruner": "none",
    "require": "accuracy>=0.5",
}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """`main` has run once, from a copy of the project in a folder of its own."""
    folder = tmp_path_factory.mktemp("pipeline")
    return folder, run_project(folder, "main", copy_project(folder / "project"), **SMALL)


@pytest.fixture
def client(pipeline: tuple[Path, object]) -> MlflowClient:
    uri = f"sqlite:///{pipeline[0]}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return MlflowClient()


def test_main_makes_a_tree_of_runs(
    pipeline: tuple[Path, subprocess.CompletedProcess[str]], client: MlflowClient
) -> None:
    _, result = pipeline
    assert result.returncode == 0, result.stderr
    (main,) = step_runs(client, "main")
    steps = child_runs(client, main)
    assert [run.info.run_name for run in steps] == ["download", "evaluate", "tune"]
    assert {run.info.status for run in [main, *steps]} == {"FINISHED"}
    trials = child_runs(client, step_runs(client, "tune")[0])
    assert [run.info.run_name for run in trials] == [f"trial-{n:03d}" for n in range(4)]
    for number, trial in enumerate(trials):
        tags = trial.data.tags
        assert (tags["optuna.trial_number"], tags["optuna.state"]) == (str(number), "COMPLETE")
        assert trial.info.status == "FINISHED"
        assert trial.data.params["optimizer"] in ("adam", "adamw", "sgd", "rmsprop")
        for metric in ("train_loss", "val_log_loss", "val_accuracy"):
            assert [m.step for m in client.get_metric_history(trial.info.run_id, metric)] == [1, 2, 3]


def test_what_tune_leaves(pipeline: tuple[Path, object], client: MlflowClient) -> None:
    (tune,) = step_runs(client, "tune")
    folder = Path(mlflow.artifacts.download_artifacts(run_id=tune.info.run_id))
    best = json.loads((folder / "best_config.json").read_text())
    trials = {run.info.run_id: run.data.metrics["val_accuracy"] for run in child_runs(client, tune)}
    assert trials[best["trial_run_id"]] == max(trials.values()) == tune.data.metrics["best_val_accuracy"]
    assert min(trials.values()) <= tune.data.metrics["best_val_accuracy_expected"] <= max(trials.values()) + 0.01
    assert (tune.data.metrics["n_complete"], tune.data.metrics["n_failed"]) == (4, 0)
    assert tune.data.params["best_optimizer"] == best["hyperparameters"]["optimizer"]
    assert len((folder / "study" / "trials.csv").read_text().splitlines()) == 5
    figures = {path.name for path in (folder / "figures").iterdir()}
    assert {"optimization_history.png", "intermediate_values.png", "parallel_coordinate.png", "study.html"} <= figures
    assert [entry.tags[0].value for entry in tune.inputs.dataset_inputs] == ["train", "validation"]


def test_the_registered_model_gives_the_logged_predictions(pipeline: tuple[Path, object], client: MlflowClient) -> None:
    folder = pipeline[0]
    (download,), (evaluate,) = step_runs(client, "download"), step_runs(client, "evaluate")
    features = np.load(
        mlflow.artifacts.download_artifacts(run_id=download.info.run_id, artifact_path="dataset/test_features.npy")
    )
    logged = np.load(mlflow.artifacts.download_artifacts(run_id=evaluate.info.run_id, artifact_path="predictions.npz"))
    model = mlflow.pyfunc.load_model("models:/digits-mlp@champion")
    np.testing.assert_array_equal(model.predict(features), logged["outputs"])
    accuracy = (logged["outputs"].argmax(1) == logged["targets"]).mean()
    metrics = evaluate.data.metrics
    assert metrics["test_accuracy"] == pytest.approx(accuracy)
    assert metrics["test_accuracy_low"] < accuracy < metrics["test_accuracy_high"]
    version = client.get_model_version_by_alias("digits-mlp", "champion")
    (tune,) = step_runs(client, "tune")
    assert version.tags["tune_run_id"] == tune.info.run_id
    assert version.tags["dataset_digest"] == download.data.tags["dataset_digest"]
    assert model.metadata.signature.outputs.inputs[0].type == np.float32
    with pytest.raises(MlflowException, match="pixels must be whole numbers from 0 to 16"):
        model.predict(features / 16)
    requirements = Path(mlflow.artifacts.download_artifacts("models:/digits-mlp@champion/requirements.txt")).read_text()
    assert all("==" in line for line in requirements.splitlines())
    assert folder.exists()


def test_registry_prints_for_people_and_for_programs(pipeline: tuple[Path, object]) -> None:
    folder = pipeline[0]
    text = succeeded(run_step(folder, "registry"))
    assert "approved" in text
    assert max(map(len, text.splitlines())) <= 100
    (row,) = json.loads(succeeded(run_step(folder, "registry", "--format", "json", "--model-name", "digits-mlp")))
    assert (row["version"], row["aliases"]) == (1, ["challenger", "champion"])


def change(path: Path) -> None:
    path.write_text(path.read_text() + "# one more line\n")


@pytest.mark.slow
def test_only_what_changed_runs_again(pipeline: tuple[Path, object], client: MlflowClient) -> None:
    folder = pipeline[0]
    project = folder / "project"

    def ran(**changes: str) -> set[str]:
        before = {step: len(step_runs(client, step)) for step in ("download", "tune", "evaluate")}
        result = run_project(folder, "main", project, **{**SMALL, **changes})
        assert result.returncode == 0, result.stderr
        return {step for step, count in before.items() if len(step_runs(client, step)) > count}

    assert ran() == set()
    assert ran(final_epochs="6") == {"evaluate"}
    change(project / "steps" / "report" / "format.py")
    change(project / "steps" / "cli" / "options.py")
    assert ran() == set()
    change(project / "steps" / "evaluation" / "refit.py")
    assert ran() == {"evaluate"}
    assert ran(reuse="false") == {"download", "tune", "evaluate"}


def test_a_trial_that_raises_is_failed_and_the_study_goes_on(step: Step, tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text(
        "n_layers: 1\nunits: {type: int, low: 8, high: 9, repeat: n_layers}\nlearning_rate: "
        "{type: categorical, choices: [0.01, 1.0e+38]}\nbatch_norm: false\noptimizer: sgd\n"
    )
    (tmp_path / "points.yaml").write_text(
        "- {learning_rate: 1.0e+38, units_0: 8}\n- {learning_rate: 0.01, units_0: 8}\n"
    )
    succeeded(step("download", "--dataset", "digits"))
    files = ("--space", "space.yaml", "--points", "points.yaml")
    succeeded(run_step(tmp_path, "tune", *files, "--n-trials", "2", "--max-epochs", "3", "--n-jobs", "1"))
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    client = MlflowClient()
    (tune,) = step_runs(client, "tune")
    first, second = child_runs(client, tune)
    assert (first.info.status, second.info.status) == ("FAILED", "FINISHED")
    assert "the loss is not finite" in first.data.tags["error"]
    assert (tune.data.metrics["n_failed"], tune.data.metrics["n_complete"]) == (1, 1)


def test_ctrl_c_keeps_what_was_finished_and_the_study_continues(step: Step, tmp_path: Path) -> None:
    succeeded(step("download", "--dataset", "digits"))
    study = ("--study-name", "kept", "--space", "small", "--pruner", "none", "--max-epochs", "40")
    process = start_step(tmp_path, "tune", *study, "--n-trials", "500")
    read_to(process, "[2/500")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)  # as mlflow sends it to its children after a Ctrl-C
    _, stderr = process.communicate()
    assert process.returncode == 130, stderr
    assert "continue with: mlflow run . -e tune -P study_name=kept" in stderr
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    client = MlflowClient()
    (tune,) = step_runs(client, "tune")
    trials = child_runs(client, tune)
    statuses = [run.info.status for run in trials]
    assert "RUNNING" not in [*statuses, tune.info.status]
    assert statuses.count("FINISHED") == tune.data.metrics["n_complete"] >= 2
    begun = [run for run in trials if run.info.status == "KILLED"]
    assert {run.data.tags["optuna.state"] for run in begun} == {"INTERRUPTED"}
    assert len(list((tmp_path / "optuna-checkpoints").glob("*.ckpt"))) == len(begun)
    assert "best_val_accuracy" in tune.data.metrics
    assert tune.data.tags["stopped_by"] == "interruption"

    total = len(trials)
    again = succeeded(run_step(tmp_path, "tune", *study, "--n-trials", str(total)))
    assert f"{len(begun)} begun before" in again
    newest = step_runs(client, "tune")[-1]
    assert newest.data.metrics["n_complete"] == total
    assert newest.data.tags["pipeline.continues"] == tune.info.run_id
    assert client.get_run(tune.info.run_id).data.tags["pipeline.continued_by"] == newest.info.run_id
    assert {run.info.run_id for run in child_runs(client, newest)} == {run.info.run_id for run in trials}
    for run in child_runs(client, newest):
        assert (run.info.status, run.data.tags["pipeline.first_parent"]) == ("FINISHED", tune.info.run_id)
        assert [m.step for m in client.get_metric_history(run.info.run_id, "val_accuracy")] == list(range(1, 41))
    table = Path(mlflow.artifacts.download_artifacts(run_id=newest.info.run_id, artifact_path="study/trials.csv"))
    assert all(run.info.run_id in table.read_text() for run in trials)
    assert list((tmp_path / "optuna-checkpoints").iterdir()) == []


@pytest.mark.slow
def test_a_git_uri_keeps_nothing_in_the_clone(tmp_path: Path) -> None:
    result = run_project(tmp_path, "download", f"file://{REPOSITORY}", dataset="digits")
    assert result.returncode == 0, result.stderr
    result = run_project(tmp_path, "tune", f"file://{REPOSITORY}", n_trials="2", max_epochs="2")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "optuna.db").exists()


@pytest.mark.slow
def test_uv_makes_the_environment_from_conda_yaml(tmp_path: Path) -> None:
    result = run_project(tmp_path, "download", manager="uv", dataset="digits")
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
def test_an_installed_copy_runs_without_the_repository(tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    succeeded(run_command(module("venv", str(tmp_path / "venv"), "--system-site-packages"), tmp_path))
    uv = str(Path(sys.executable).parent / "uv")
    succeeded(run_command([uv, "pip", "install", "--quiet", "--python", str(python), str(REPOSITORY)], tmp_path))
    small = ("--dataset", "digits", "--n-trials", "2", "--max-epochs", "2", "--final-epochs", "3")
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    succeeded(run_command([str(python), "-m", "steps.main", *small], tmp_path, PATH=path, PYTHONPATH=""))
