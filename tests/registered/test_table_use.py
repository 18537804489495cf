"""The whole way of a table: from a CSV to a champion that is loaded, applied to files and served, always alike."""

from __future__ import annotations

import json
import re
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient
from sklearn.metrics import log_loss

from steps.tasks.classification.calibration import with_temperature
from tests.conftest import copy_store
from tests.registered.customers import FEATURES, customers
from tests.registered.test_use import served
from tests.running import run_step, step_runs, succeeded

POINT = {"n_layers": 1, "units_0": 64, "dropout": 0.0, "batch_norm": False, "learning_rate": 0.01, "batch_size": 64}
OPTIONS = ("--precision", "float32", "--require", "accuracy>=0.6")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A store with customers-mlp version 1, the champion, and version 2, and the files that they were made from."""
    folder = tmp_path_factory.mktemp("table")
    copy_store(empty_store, folder)
    (folder / "points.json").write_text(json.dumps([POINT]))
    customers().to_csv(folder / "customers.csv", index=False)
    customers(150, seed=1).to_csv(folder / "test.csv", index=False)
    data = ("--dataset", "customers.csv", "--target", "churn", "--test-dataset", "test.csv")
    succeeded(run_step(folder, "download", *data))
    succeeded(run_step(folder, "tune", "--n-trials", "1", "--max-epochs", "12", "--points", "points.json"))
    succeeded(run_step(folder, "evaluate", "--final-epochs", "30", "--promote", "always", *OPTIONS))
    succeeded(run_step(folder, "evaluate", *OPTIONS))
    return folder


@pytest.fixture
def version(folder: Path) -> ModelVersion:
    uri = f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return MlflowClient().get_model_version("customers-mlp", "2")


@pytest.fixture
def evaluated(version: ModelVersion) -> np.ndarray:
    """Probabilities for the test file, as `evaluate` has logged them."""
    path = mlflow.artifacts.download_artifacts(run_id=version.run_id, artifact_path="predictions.npz")
    return np.asarray(np.load(path)["outputs"])


def probabilities(found: pd.DataFrame) -> np.ndarray:
    return found[["probability_no", "probability_yes"]].to_numpy(np.float64)


def test_evaluate_pyfunc_and_predict_agree(folder: Path, evaluated: np.ndarray) -> None:
    frame = pd.read_csv(folder / "test.csv")
    loaded = mlflow.pyfunc.load_model("models:/customers-mlp/2").predict(frame)
    np.testing.assert_allclose(probabilities(loaded), evaluated, atol=1e-6)
    given = ("--model-uri", "models:/customers-mlp/2", "--input", "test.csv", "--key-column", "id")
    said = succeeded(run_step(folder, "predict", *given, "--output", "out.parquet"))
    assert said.startswith("Predicted 150 rows with models:/customers-mlp/2, ROC AUC 0.")
    found = pd.read_parquet(folder / "out.parquet")
    assert found.columns.tolist() == ["id", "predicted", "probability_no", "probability_yes"]
    assert found["id"].tolist() == frame["id"].tolist()
    assert found["predicted"].tolist() == loaded["predicted"].tolist()
    np.testing.assert_allclose(probabilities(found), evaluated, atol=1e-6)


def test_rows_unlike_the_training_rows_are_said_and_listed(folder: Path, version: ModelVersion) -> None:
    frame = customers(300, seed=2).drop(columns="churn")
    frame["age"] += 60
    frame.loc[frame.index % 5 == 0, "plan"] = "Gold"
    frame.to_csv(folder / "later.csv", index=False)
    given = ("--model-uri", "models:/customers-mlp/2", "--input", "later.csv", "--overwrite", "true")
    result = run_step(folder, "predict", *given, "--output", "out.csv")
    assert result.returncode == 0, result.stderr
    assert re.fullmatch(
        r"Drift: 2 of 6 columns differ from the training data: age \(PSI \d\.\d\d: \d\d % above its training range, "
        r"which ends at 8\d\.\d+\), plan \(PSI \d\.\d\d: 20 % unseen levels such as \"Gold\"\)\n",
        result.stderr,
    )
    made = step_runs(MlflowClient(), "predict")[-1]
    assert made.data.metrics["n_drifted_columns"] == 2
    assert f"Drift: {made.data.tags['drift']}\n" == result.stderr
    table = pd.read_csv(mlflow.artifacts.download_artifacts(run_id=made.info.run_id, artifact_path="drift.csv"))
    assert table["column"].tolist()[:2] == ["age", "plan"]
    assert table["differs"].tolist() == [True, True, False, False, False, False]
    page = mlflow.artifacts.load_text(f"runs:/{made.info.run_id}/drift.html")
    assert "2 of 6 columns" in page
    assert made.data.metrics["max_psi"] == pytest.approx(table["psi"].max(), abs=1e-4)


def test_predictions_are_scored_once_their_labels_are_known(folder: Path, version: ModelVersion) -> None:
    rows, model = pd.read_csv(folder / "test.csv"), ("--model-uri", "models:/customers-mlp/2", "--key-column", "id")
    rows.drop(columns="churn").to_csv(folder / "unlabelled.csv", index=False)
    given = ("--input", "unlabelled.csv", "--output", "earlier.csv", "--overwrite", "true")
    assert "against its labels" not in succeeded(run_step(folder, "predict", *model, *given))
    rows.iloc[::-1][["id", "churn"]].to_csv(folder / "outcomes.csv", index=False)
    tested = float(version.tags["test_roc_auc"])
    for earlier in ("earlier.csv", "unlabelled.csv"):
        result = run_step(folder, "predict", *model, "--input", earlier, "--labels", "outcomes.csv")
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        made = step_runs(MlflowClient(), "predict")[-1]
        found = made.data.metrics
        assert found["roc_auc"] == pytest.approx(tested, abs=1e-4)
        assert found["roc_auc_low"] < found["roc_auc"] < found["roc_auc_high"]
        first, second = result.stdout.splitlines()
        assert first.endswith(
            f"150 rows with models:/customers-mlp/2, ROC AUC {found['roc_auc']:.4f} against its labels"
        )
        assert second == (
            f"ROC AUC {found['roc_auc']:.4f} on these 150 rows, {tested:.4f} on the test rows: within noise (p = 1)"
        )
        assert made.data.tags["against_test"] == second


def test_a_metric_that_has_fallen_is_said(folder: Path, version: ModelVersion) -> None:
    other = customers(300, seed=3)
    other["churn"] = other["churn"].sample(frac=1, random_state=0).to_numpy()
    other.to_csv(folder / "other.csv", index=False)
    given = ("--model-uri", "models:/customers-mlp/2", "--input", "other.csv", "--overwrite", "true")
    said = succeeded(run_step(folder, "predict", *given, "--output", "out.csv")).splitlines()[-1]
    assert re.fullmatch(r"ROC AUC 0\.\d+ on these 300 rows, 0\.\d+ on the test rows: worse beyond noise \(p .*\)", said)


def test_labels_with_a_double_key_leave_no_output(folder: Path, version: ModelVersion) -> None:
    pd.DataFrame({"id": ["a", "a"], "churn": "no"}).to_csv(folder / "double.csv", index=False)
    given = ("--model-uri", "models:/customers-mlp/2", "--input", "test.csv", "--key-column", "id")
    result = run_step(folder, "predict", *given, "--labels", "double.csv", "--output", "none.csv")
    assert result.returncode == 2
    assert result.stderr == "Error: labels must have each id once, got 'a' in rows 1 and 2\n"
    assert not (folder / "none.csv").exists()


def test_the_probabilities_have_the_temperature_of_the_validation_rows(
    folder: Path, version: ModelVersion, evaluated: np.ndarray
) -> None:
    logged = MlflowClient().get_run(version.run_id).data.metrics
    before = with_temperature(evaluated, 1 / logged["temperature"])
    targets = (pd.read_csv(folder / "test.csv")["churn"] == "yes").to_numpy(int)
    assert logged["temperature"] != 1
    assert logged["uncalibrated_log_loss"] == pytest.approx(log_loss(targets, before), rel=1e-3)
    assert logged["test_log_loss"] == pytest.approx(log_loss(targets, evaluated), rel=1e-3)


@pytest.mark.slow
def test_costs_and_sets_are_those_of_every_prediction(folder: Path, tmp_path: Path) -> None:
    for name in ("mlflow.db", "test.csv"):
        shutil.copy(folder / name, tmp_path)
    said = succeeded(run_step(tmp_path, "evaluate", "--costs", "fp:1,fn:5", "--promote", "never", *OPTIONS))
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    client = MlflowClient()
    run = client.get_run(client.get_model_version("customers-mlp", "3").run_id)
    logged, threshold = run.data.metrics, run.data.metrics["threshold"]
    assert f"By the costs fp:1,fn:5, 'yes' is predicted from a probability of {threshold:.3g} on" in said
    frame = pd.read_csv(tmp_path / "test.csv")
    found = mlflow.pyfunc.load_model("models:/customers-mlp/3").predict(frame)
    called, truth = found["predicted"] == "yes", frame["churn"] == "yes"
    assert called.tolist() == (found["probability_yes"] >= threshold).tolist()
    assert (called & (found["probability_yes"] < 0.5)).any()
    assert logged["test_accuracy"] == logged["accuracy_score"] == pytest.approx((called == truth).mean())
    assert logged["test_recall"] == pytest.approx((called & truth).sum() / truth.sum())
    cost = ((called & ~truth).sum() + 5 * (~called & truth).sum()) / len(truth)
    assert logged["test_cost"] == pytest.approx(cost)
    assert logged["test_cost_low"] <= cost <= logged["test_cost_high"]
    assert logged["most_probable_class_cost"] - cost == pytest.approx(logged["cost_saved"])

    given = ("--model-uri", "models:/customers-mlp/3", "--input", "test.csv", "--output", "out.csv", "--sets")
    refused = run_step(tmp_path, "predict", *given, "0.999")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "sets must be 0, or a level from 0.5 to 0.9" in refused.stderr
    succeeded(run_step(tmp_path, "predict", *given, "9/10"))
    table = pd.read_csv(tmp_path / "out.csv")
    assert table["predicted"].tolist() == found["predicted"].tolist()
    sets = table["prediction_set"].map(json.loads)
    holds = np.mean([label in names for label, names in zip(frame["churn"], sets, strict=True)])
    assert holds == logged["test_coverage"]
    assert all(label in names for label, names in zip(table["predicted"], sets, strict=True))
    (predicted,) = client.search_runs(["0"], "tags.predicted_with = 'models:/customers-mlp/3'")
    assert predicted.data.metrics["cost"] == pytest.approx(cost)

    page = Path(run.info.artifact_uri.removeprefix("file://")) / "report.html"
    before = page.read_bytes()
    succeeded(run_step(tmp_path, "redraw", "--run-id", run.info.run_id))
    assert page.read_bytes() == before


def test_the_columns_that_matter_are_found(version: ModelVersion) -> None:
    result = mlflow.artifacts.load_dict(f"runs:/{version.run_id}/evaluation.json")
    found = [column["name"] for column in result["importances"]]
    assert set(found[:2]) == {"age", "plan"}
    assert set(found) == set(FEATURES)


def test_versions_are_compared_on_the_raw_rows(version: ModelVersion) -> None:
    checks = json.loads(version.tags["checks"])
    assert checks["same_predictions"] is True
    assert checks["signature_and_example"] is True
    assert version.tags["compared_with_version"] == "1"
    first = MlflowClient().get_model_version("customers-mlp", "1")
    assert float(version.tags["champion_test_roc_auc"]) == pytest.approx(float(first.tags["test_roc_auc"]))


@pytest.mark.slow
def test_a_table_of_other_columns_is_refused_before_training(folder: Path, tmp_path: Path) -> None:
    customers().drop(columns="age").to_csv(tmp_path / "other.csv", index=False)
    data = ("--dataset", str(tmp_path / "other.csv"), "--target", "churn", "--model-name", "customers-mlp")
    refused = run_step(folder, "main", *data)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith("Error: model_name must be a model of the same data, got")
    assert "column 'age' (number) is not in the other" in refused.stderr
    assert "tune: running" not in refused.stdout


@pytest.mark.slow
def test_replay_gives_the_same_bits(folder: Path, version: ModelVersion) -> None:
    said = succeeded(run_step(folder, "replay", "--model-uri", "models:/customers-mlp/2"))
    assert "Identical: all" in said


def post(address: str, **body: Any) -> Any:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["predictions"]


@pytest.mark.slow
def test_it_is_served(folder: Path, evaluated: np.ndarray) -> None:
    frame = pd.read_csv(folder / "test.csv")
    records = json.loads(frame.to_json(orient="records"))
    assert any(record["age"] is None for record in records)
    with served(folder, "models:/customers-mlp/2") as address:
        for found in (
            post(address, dataframe_records=records),
            post(address, dataframe_records=[dict(reversed(record.items())) for record in records]),
            post(address, dataframe_split=json.loads(frame.to_json(orient="split"))),
            [post(address, dataframe_records=[record])[0] for record in records[:20]],
        ):
            answered = pd.DataFrame(found)
            np.testing.assert_allclose(probabilities(answered), evaluated[: len(found)], atol=1e-6)
            assert answered["predicted"].tolist() == [("no", "yes")[i] for i in evaluated.argmax(1)[: len(found)]]
        unseen = post(address, dataframe_records=[{**records[0], "town": "Atlantis", "plan": None, "more": [1, 2]}])
        assert unseen[0]["probability_no"] + unseen[0]["probability_yes"] == pytest.approx(1)
        for wrong, reason in (
            ({name: value for name, value in records[0].items() if name != "visits"}, "visits"),
            ({**records[0], "visits": "many"}, "column 'visits' must be a number within ±3e+38, got 'many' in row 1"),
        ):
            with pytest.raises(urllib.error.HTTPError) as refused:
                post(address, dataframe_records=[wrong])
            assert refused.value.code == 400
            assert reason in json.loads(refused.value.read())["message"]
