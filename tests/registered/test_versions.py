"""Two versions of a model, for real: the decision about them, where they come from, and the way back."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from steps.datasets import Split
from steps.mlp.runtime import threads_of_each
from tests.running import REPOSITORY, run_command, run_step, script, start_step, succeeded


def test_the_decision_is_on_the_run_and_on_the_version(
    unseen: Split, client: MlflowClient, second: ModelVersion
) -> None:
    run_data, tags = client.get_run(second.run_id).data, second.tags
    checks = json.loads(tags["checks"])
    assert all(checks.values())
    assert set(checks) == {
        "require_accuracy", "require_recall", "same_predictions", "signature_and_example",
        "beats_most_frequent_class", "beats_logistic_regression",
    }  # fmt: skip
    for name in ("validation_status", "promotion", "promotion_reason", "mcnemar_p_value", "mcnemar_table"):
        assert run_data.tags[name] == tags[name]
    assert tags["compared_with_version"] == "1"
    predictions = {}
    for version in ("1", "2"):
        made_by = client.get_model_version("digits-mlp", version).run_id
        path = mlflow.artifacts.download_artifacts(run_id=made_by, artifact_path="predictions.npz")
        predictions[version] = np.load(path)["outputs"].argmax(1)
    first_right, second_right = (predictions[version] == unseen.targets for version in ("1", "2"))
    assert json.loads(tags["mcnemar_table"]) == [
        [int((second_right & first_right).sum()), int((second_right & ~first_right).sum())],
        [int((~second_right & first_right).sum()), int((~second_right & ~first_right).sum())],
    ]
    assert run_data.metrics["champion_test_accuracy"] == pytest.approx(first_right.mean())
    assert run_data.metrics["accuracy_score"] == run_data.metrics["test_accuracy"]
    assert run_data.metrics["logistic_regression_accuracy"] < run_data.metrics["test_accuracy"]


def test_from_a_version_one_gets_to_everything(folder: Path, client: MlflowClient, second: ModelVersion) -> None:
    arguments = ["--model-name", "digits-mlp", "--version", "2"]
    lineage = json.loads(run_step(folder, "registry", *arguments, "--format", "json").stdout)["lineage"]
    for step, run_id in lineage["runs"].items():
        found = client.get_run(run_id).data.tags
        assert found.get("pipeline.step", "trial") == step
    data, trial = (client.get_run(lineage["runs"][step]).data for step in ("download", "trial"))
    assert lineage["data"]["digest"] == data.tags["dataset_digest"]
    assert (lineage["data"]["request"]["dataset"], lineage["data"]["request"]["seed"]) == ("digits", 0)
    assert trial.tags["optuna.study"] == lineage["study"]["name"]
    assert trial.params == {name: str(value) for name, value in lineage["hyperparameters"].items()}
    training = {"epochs": 13, "schedule": 13, "seed": 0, "precision": "float32", "threads": threads_of_each(1)}
    assert lineage["training"] == training
    assert lineage["weights_digest"] == second.tags["weights_digest"]
    assert lineage["packages"]["mlflow"] == mlflow.__version__
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True).stdout.strip()
    assert lineage["code"]["commit"] == commit
    assert lineage["hardware"]["cores"] >= 1
    tree = run_step(folder, "registry", *arguments).stdout
    for value in (lineage["data"]["digest"], lineage["runs"]["trial"], "units_0: 128", f"numpy: {np.__version__}"):
        assert value in tree


def test_replay_gives_the_same_bits(folder: Path, copied: Path) -> None:
    result = run_step(copied, "replay", "--model-uri", "models:/digits-mlp/1")
    assert result.returncode == 0, result.stderr
    assert "Identical: all" in result.stdout, result.stdout


@pytest.mark.slow
def test_replay_measures_a_difference_and_names_its_cause(copied: Path) -> None:
    # Another epsilon stands for another rounding: whether oneDNN changes a bit of this MLP depends on the processor.
    changed = "import steps.mlp.optimizers as o; o._EPSILON = 1.01e-7; from steps.replay import replay; replay()"
    command = script(changed, "--model-uri", "models:/digits-mlp/1")
    said = succeeded(run_command(command, copied, TF_ENABLE_ONEDNN_OPTS="0"))
    assert "Not identical: the weights differ by at most " in said
    assert re.search(r"Possible cause: onednn '\w+' then, '0' now", said)  # on x86, this project sets it
    uri = f"sqlite:///{copied}/mlflow.db"
    (made,) = MlflowClient(uri, uri).search_runs(["0"], "tags.`pipeline.step` = 'replay'")
    assert made.data.tags["replay.identical"] == "false"
    assert 0 < made.data.metrics["largest_weight_difference"] < 0.1


@pytest.mark.slow
def test_rollback(copied: Path, client: MlflowClient) -> None:
    there = MlflowClient(f"sqlite:///{copied}/mlflow.db", f"sqlite:///{copied}/mlflow.db")
    result = run_step(copied, "registry", "--model-name", "digits-mlp", "--rollback", "true")
    assert (result.returncode, "version 1 is its first" in result.stderr) == (2, True), result
    result = run_step(copied, "evaluate", "--final-epochs", "12", "--precision", "float32", "--promote", "always")
    assert "promoted, because promote is always" in result.stdout, result.stderr
    assert there.get_registered_model("digits-mlp").aliases == {"challenger": 3, "champion": 3, "previous": 1}
    result = run_step(copied, "registry", "--model-name", "digits-mlp", "--rollback", "true")
    assert result.stdout == "Rolled back: champion of digits-mlp is version 1, no longer version 3\n", result.stderr
    assert there.get_registered_model("digits-mlp").aliases == {"challenger": 3, "champion": 1}


@pytest.mark.slow
def test_a_model_of_other_data_is_refused_before_training(copied: Path) -> None:
    result = run_step(copied, "main", "--dataset", "mnist", "--model-name", "digits-mlp")
    assert result.returncode == 2, result.stderr
    assert "number of features 64, in the other 784" in result.stderr
    assert "tune: running" not in result.stdout


@pytest.mark.slow
def test_two_evaluate_at_once_leave_one_consistent_champion(copied: Path) -> None:
    options = ("--promote", "always", "--precision", "float32", "--final-epochs", "60")
    both = [start_step(copied, "evaluate", *options, "--seed", seed) for seed in ("1", "2")]
    problems = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], problems
    uri = f"sqlite:///{copied}/mlflow.db"
    client = MlflowClient(uri, uri)
    aliases = client.get_registered_model("digits-mlp").aliases
    last, first = (client.get_model_version("digits-mlp", aliases[alias]) for alias in ("champion", "previous"))
    assert {int(last.version), int(first.version)} == {3, 4}
    assert json.loads(last.tags["former_champions"]) == [int(first.version), 1]
    assert client.get_model_version("digits-mlp", "1").tags["successor"] == str(first.version)
