"""Several trials as one registered model, for real: from their kept outputs to the registry and back."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from steps.datasets.tabular.decision import Costs
from steps.tasks.classification.calibration import with_temperature
from steps.tasks.classification.costs import least_cost
from tests.conftest import Step
from tests.evaluation.test_tables import write
from tests.running import child_runs, step_runs, succeeded

OUTPUTS = "validation_outputs.npy"


def store(folder: Path) -> MlflowClient:
    uri = f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return MlflowClient()


def artifact(run: Run, name: str) -> Path:
    return Path(run.info.artifact_uri.removeprefix("file://")) / name


@pytest.mark.slow
def test_the_mean_of_all_trials_is_one_version_that_can_be_replayed(step: Step, tmp_path: Path) -> None:
    succeeded(step("download", "--dataset", "digits"))
    tune = ("--max-epochs", "2", "--space", "small", "--pruner", "none", "--study-name", "s")
    succeeded(step("tune", *tune, "--n-trials", "1"))
    succeeded(step("tune", *tune, "--n-trials", "2"))  # a study that goes on has the outputs of both tune runs
    client = store(tmp_path)
    newest = step_runs(client, "tune")[-1]
    trials = child_runs(client, newest)
    assert [np.load(artifact(run, OUTPUTS)).shape for run in trials] == [(240, 10)] * 2
    refused = step("evaluate", "--ensemble", "3", "--select", "1")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "Error: ensemble must be 1 with select=1, which names a single trial, got 3\n"

    said = succeeded(step("evaluate", "--ensemble", "3", "--final-epochs", "15", "--precision", "float32"))
    assert "On the validation rows, accuracy " in said
    assert "On the test rows, accuracy " in said
    (run,) = step_runs(client, "evaluate")
    version = client.get_model_version_by_alias("digits-mlp", "challenger")
    weights = json.loads(version.tags["members"])
    assert weights == json.loads(run.data.tags["members"]) == {"0": 0.5, "1": 0.5}
    result = json.loads(artifact(run, "evaluation.json").read_text())
    networks = set(result["losses"])  # the better trial has two
    assert networks - {"trial-000-2", "trial-001-2"} == {"trial-000", "trial-001"}
    assert len(networks) == 3
    assert {"ensemble_val_accuracy", "best_trial_alone_val_accuracy", "best_trial_alone_accuracy"} <= set(
        run.data.metrics
    )
    page = artifact(run, "report.html").read_text()
    assert "<h2>Ensemble</h2>" in page
    logged = np.load(artifact(run, "predictions.npz"))["outputs"]
    (data,) = step_runs(client, "download")
    features = np.load(artifact(data, "dataset/test_features.npy"))
    predicted = mlflow.pyfunc.load_model(version.source).predict(features)
    np.testing.assert_allclose(predicted, logged, atol=1e-6)  # by as many threads as there are cores
    lineage = json.loads(
        succeeded(step("registry", "--model-name", "digits-mlp", "--version", "1", "--format", "json"))
    )["lineage"]
    network = mlflow.tensorflow.load_model(version.source)
    members = lineage["members"]
    mean = np.sum([member["weight"] * network.get_layer(name)(features) for name, member in members.items()], 0)
    np.testing.assert_allclose(logged, mean, atol=1e-6)
    assert set(members) == networks
    for name, member in members.items():
        number, copy = int(name.split("-")[1]), name.endswith("-2")
        assert (member["trial_number"], member["trial"]) == (number, trials[number].info.run_id)
        assert trials[number].data.params == {key: str(value) for key, value in member["hyperparameters"].items()}
        assert (member["epochs"], member["schedule"], member["seed"]) == (15, 15, int(copy))
        assert member["weight"] == (0.25 if {f"trial-{number:03d}-2"} & networks else 0.5)
    assert ", 1 more " in succeeded(step("registry"))
    assert "Identical: all " in succeeded(step("replay", "--model-uri", "models:/digits-mlp/1"))

    for trial in trials:
        artifact(trial, OUTPUTS).unlink()
    refused = step("evaluate", "--ensemble", "3")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "Error: ensemble must be 1 for a tune run whose trials have kept no validation outputs, got 3; "
        "run the step tune again\n"
    )
    assert len(step_runs(client, "evaluate")) == 1


def mixed(step: Step, folder: Path, target: str, other: str, folds: str, *options: str) -> Run:
    """The run of the evaluation of four networks on a table, whose model is loaded and has a layer for each of them."""
    write(folder / "sales.csv")
    columns = ("--target", target, "--ignore-columns", other, "--folds", folds)
    succeeded(step("download", "--dataset", "sales.csv", *columns))
    succeeded(step("tune", "--n-trials", "3", "--max-epochs", "12", "--pruner", "none"))
    succeeded(step("evaluate", "--ensemble", "4", *options))
    client = store(folder)
    (run,) = step_runs(client, "evaluate")
    model = mlflow.pyfunc.load_model(client.get_model_version_by_alias("sales-mlp", "champion").source)
    rows = model.input_example
    assert len(model.predict(rows)) == len(rows)
    network = model.unwrap_python_model().network
    losses = json.loads(artifact(run, "evaluation.json").read_text())["losses"]
    assert len(losses) == 4
    assert set(losses) <= {layer.name for layer in network.layers}
    return run


def test_a_table_gets_one_model_of_several_trials(step: Step, tmp_path: Path) -> None:
    run = mixed(step, tmp_path, "price", "bought", "1")
    assert run.data.metrics["test_rmse"] > 0


@pytest.mark.slow
def test_the_threshold_of_a_mixture_is_that_of_its_own_outputs_for_all_folds(step: Step, tmp_path: Path) -> None:
    run = mixed(step, tmp_path, "bought", "price", "3", "--costs", "fp:1,fn:5")
    logged, weights = run.data.metrics, json.loads(run.data.tags["members"])
    assert logged["test_roc_auc"] > 0
    client = store(tmp_path)
    (tune,), (download,) = step_runs(client, "tune"), step_runs(client, "download")
    trials = child_runs(client, tune)
    outputs = sum(weight * np.load(artifact(trials[int(number)], OUTPUTS)) for number, weight in weights.items())
    if "temperature" in logged:
        outputs = with_temperature(outputs, logged["temperature"])
    folds = [np.load(artifact(download, f"dataset/fold_{i}_validation_targets.npy")) for i in (1, 2, 3)]
    expected = least_cost(Costs(1, 5), np.concatenate(folds) == 1, outputs[:, 1])
    assert logged["threshold"] == pytest.approx(expected.threshold, abs=1e-4)
