"""Two versions of a model, for real; then everything that is done with a registered model."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient
from PIL import Image

from steps.datasets import load_dataset
from tests.conftest import REPOSITORY, environment

TEST = load_dataset("digits", 1 / 6, seed=0).splits["test"]
POINT = {
    "n_layers": 1, "units_0": 128, "activation": "relu", "dropout": 0.0, "input_dropout": 0.0, "batch_norm": True,
    "optimizer": "adamw", "learning_rate": 0.005, "weight_decay": 0.01, "batch_size": 64, "label_smoothing": 0.0,
    "augmentation": "none",
}  # fmt: skip


def run(folder: Path, step: str, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"steps.{step}", *arguments]
    return subprocess.run(command, cwd=folder, env=environment(folder, **extra), capture_output=True, text=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with digits-mlp version 1, the champion, and version 2, trained longer; both in float32."""
    folder = tmp_path_factory.mktemp("registered")
    points = folder / "points.json"
    points.write_text(json.dumps([POINT]))
    result = run(
        folder, "main", "--dataset", "digits", "--n-trials", "1", "--max-epochs", "1", "--points", str(points),
        "--final-epochs", "12", "--precision", "float32"
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    result = run(folder, "evaluate", "--final-epochs", "13", "--precision", "float32", "--min-recall", "0.5")
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture
def client(folder: Path) -> MlflowClient:
    uri = f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return MlflowClient()


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    """A folder with a copy of the store, to be changed; the artifacts stay where they are."""
    shutil.copy(folder / "mlflow.db", tmp_path)
    return tmp_path


@pytest.fixture
def second(client: MlflowClient) -> ModelVersion:
    return client.get_model_version("digits-mlp", "2")


def test_the_decision_is_on_the_run_and_on_the_version(client: MlflowClient, second: ModelVersion) -> None:
    run_data, tags = client.get_run(second.run_id).data, second.tags
    checks = json.loads(tags["checks"])
    assert all(checks.values())
    assert set(checks) == {
        "min_accuracy", "same_predictions", "signature_and_example", "beats_most_frequent_class",
        "beats_logistic_regression", "min_recall",
    }  # fmt: skip
    for name in ("validation_status", "promotion", "promotion_reason", "mcnemar_p_value", "mcnemar_table"):
        assert run_data.tags[name] == tags[name]
    assert tags["compared_with_version"] == "1"
    predictions = {}
    for version in ("1", "2"):
        made_by = client.get_model_version("digits-mlp", version).run_id
        path = mlflow.artifacts.download_artifacts(run_id=made_by, artifact_path="predictions.npz")
        predictions[version] = np.load(path)["probabilities"].argmax(1)
    first_right, second_right = (predictions[version] == TEST.labels for version in ("1", "2"))
    assert json.loads(tags["mcnemar_table"]) == [
        [int((second_right & first_right).sum()), int((second_right & ~first_right).sum())],
        [int((~second_right & first_right).sum()), int((~second_right & ~first_right).sum())],
    ]
    assert run_data.metrics["champion_test_accuracy"] == pytest.approx(first_right.mean())
    assert run_data.metrics["accuracy_score"] == run_data.metrics["test_accuracy"]
    assert run_data.metrics["logistic_regression_accuracy"] < run_data.metrics["test_accuracy"]


def test_from_a_version_one_gets_to_everything(folder: Path, client: MlflowClient, second: ModelVersion) -> None:
    arguments = ["--model-name", "digits-mlp", "--version", "2"]
    lineage = json.loads(run(folder, "registry", *arguments, "--format", "json").stdout)["lineage"]
    for step, run_id in lineage["runs"].items():
        found = client.get_run(run_id).data.tags
        assert found.get("pipeline.step", "trial") == step
    data, trial = (client.get_run(lineage["runs"][step]).data for step in ("download", "trial"))
    assert lineage["data"]["digest"] == data.tags["dataset_digest"]
    assert (lineage["data"]["name"], lineage["data"]["seed"]) == ("digits", 0)
    assert trial.tags["optuna.study"] == lineage["study"]["name"]
    assert trial.params == {name: str(value) for name, value in lineage["hyperparameters"].items()}
    assert lineage["training"] == {"epochs": 13, "seed": 0, "precision": "float32"}
    assert lineage["weights_digest"] == second.tags["weights_digest"]
    assert lineage["packages"]["mlflow"] == mlflow.__version__
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True).stdout.strip()
    assert lineage["code"]["commit"] == commit
    assert lineage["hardware"]["cores"] >= 1
    tree = run(folder, "registry", *arguments).stdout
    for value in (lineage["data"]["digest"], lineage["runs"]["trial"], "units_0: 128", f"numpy: {np.__version__}"):
        assert value in tree


def test_replay_gives_the_same_bits(folder: Path, copied: Path) -> None:
    result = run(copied, "replay", "--model-uri", "models:/digits-mlp/1")
    assert result.returncode == 0, result.stderr
    assert "Identical: all" in result.stdout, result.stdout


@pytest.mark.slow
def test_replay_measures_a_difference_and_names_its_cause(copied: Path) -> None:
    result = run(copied, "replay", "--model-uri", "models:/digits-mlp/1", TF_ENABLE_ONEDNN_OPTS="0")
    assert result.returncode == 0, result.stderr
    assert "Not identical: the weights differ by at most " in result.stdout
    assert "Possible cause: onednn 'default' then, '0' now" in result.stdout
    uri = f"sqlite:///{copied}/mlflow.db"
    (made,) = MlflowClient(uri, uri).search_runs(["0"], "tags.`pipeline.step` = 'replay'")
    assert made.data.tags["replay.identical"] == "false"
    assert 0 < made.data.metrics["largest_weight_difference"] < 0.1


@pytest.mark.slow
def test_rollback(copied: Path, client: MlflowClient) -> None:
    there = MlflowClient(f"sqlite:///{copied}/mlflow.db", f"sqlite:///{copied}/mlflow.db")
    result = run(copied, "registry", "--model-name", "digits-mlp", "--rollback", "true")
    assert (result.returncode, "version 1 is its first" in result.stderr) == (2, True), result
    result = run(copied, "evaluate", "--final-epochs", "12", "--precision", "float32", "--promote", "always")
    assert "promoted, because promote is always" in result.stdout, result.stderr
    assert there.get_registered_model("digits-mlp").aliases == {"challenger": 3, "champion": 3, "previous": 1}
    result = run(copied, "registry", "--model-name", "digits-mlp", "--rollback", "true")
    assert result.stdout == "Rolled back: champion of digits-mlp is version 1, no longer version 3\n", result.stderr
    assert there.get_registered_model("digits-mlp").aliases == {"challenger": 3, "champion": 1}


@pytest.mark.slow
def test_a_model_of_other_data_is_refused_before_training(copied: Path) -> None:
    result = run(copied, "main", "--dataset", "mnist", "--model-name", "digits-mlp")
    assert result.returncode == 2, result.stderr
    assert "number of features of its version 1: 64, of these data: 784" in result.stderr
    assert "tune: running" not in result.stdout


def test_keras_alone_loads_the_model(folder: Path, client: MlflowClient, second: ModelVersion, tmp_path: Path) -> None:
    path = Path(mlflow.artifacts.download_artifacts("models:/digits-mlp/2/data/model.keras"))
    np.save(tmp_path / "features.npy", TEST.features)
    script = f"""
import sys
import keras, numpy as np
model = keras.saving.load_model({str(path)!r}, safe_mode=True)
np.save("probabilities.npy", model.predict(np.load("features.npy"), verbose=0))
assert not any(name.split(".")[0] in ("steps", "mlflow") for name in sys.modules)
"""
    subprocess.run([sys.executable, "-I", "-c", script], cwd=tmp_path, check=True)
    logged = mlflow.artifacts.download_artifacts(run_id=second.run_id, artifact_path="predictions.npz")
    np.testing.assert_array_equal(np.load(tmp_path / "probabilities.npy"), np.load(logged)["probabilities"])


def test_predict_a_table_with_labels_and_a_bad_row(copied: Path, client: MlflowClient, second: ModelVersion) -> None:
    rows = pd.DataFrame(np.asarray(TEST.features), columns=[f"pixel_{i}" for i in range(64)]).astype(object)
    rows["label"] = TEST.labels
    rows.loc[6, "pixel_3"] = "dark"
    rows.to_csv(copied / "rows.csv", index=False)
    result = run(
        copied, "predict", "--model-uri", "models:/digits-mlp/2", "--input", "rows.csv", "--output", "out.csv"
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stderr == "Bad row 7: column 'pixel_3' must be a number, got 'dark'\n"
    found = pd.read_csv(copied / "out.csv")
    assert found["row"].tolist() == [n for n in range(1, 361) if n != 7]
    logged = mlflow.artifacts.download_artifacts(run_id=second.run_id, artifact_path="predictions.npz")
    expected = np.delete(np.load(logged)["probabilities"], 6, 0)
    np.testing.assert_allclose(found.filter(like="probability_"), expected, rtol=1e-4, atol=1e-6)
    assert found["predicted"].tolist() == expected.argmax(1).tolist()
    uri = f"sqlite:///{copied}/mlflow.db"
    (made,) = MlflowClient(uri, uri).search_runs(["0"], "tags.`pipeline.step` = 'predict'")
    assert made.data.metrics["accuracy_score"] == (expected.argmax(1) == np.delete(TEST.labels, 6)).mean()
    assert (made.data.metrics["n_predicted"], made.data.metrics["n_bad"]) == (359, 1)


@pytest.mark.slow
def test_predict_images_to_parquet(copied: Path, client: MlflowClient) -> None:
    (copied / "scans").mkdir()
    for i in range(20):
        dark_on_light = 255 - np.kron(TEST.features[i].reshape(8, 8) * (255 / 16), np.ones((3, 3)))
        Image.fromarray(np.rint(dark_on_light).astype(np.uint8)).save(copied / "scans" / f"{i:02d}.png")
    result = run(
        copied, "predict", "--model-uri", "models:/digits-mlp/1", "--input", "scans", "--invert", "true",
        "--output", "out.parquet",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    found = pd.read_parquet(copied / "out.parquet")
    assert found["file"].tolist() == [f"{i:02d}.png" for i in range(20)]
    first = client.get_model_version("digits-mlp", "1")
    logged = mlflow.artifacts.download_artifacts(run_id=first.run_id, artifact_path="predictions.npz")
    expected = np.load(logged)["probabilities"][:20]
    np.testing.assert_allclose(found.filter(like="probability_"), expected, rtol=1e-4, atol=1e-6)


def test_rows_that_are_wrong_everywhere_end_the_run(copied: Path) -> None:
    np.save(copied / "rows.npy", np.asarray(TEST.features) / 16)  # scaled to [0, 1], as other models want it
    result = run(copied, "predict", "--model-uri", "models:/digits-mlp/1", "--input", "rows.npy", "--output", "out.csv")
    assert result.returncode == 2
    assert "must have rows that the model takes, got none; row 1: column '3' must be a whole number" in result.stderr
    assert not list(copied.glob("*out.csv*"))


@pytest.mark.slow
def test_two_evaluate_at_once_leave_one_consistent_champion(copied: Path) -> None:
    command = [sys.executable, "-m", "steps.evaluate", "--promote", "always", "--precision", "float32"]
    both = [
        subprocess.Popen([*command, "--final-epochs", "12", "--seed", seed], cwd=copied, env=environment(copied))
        for seed in ("1", "2")
    ]
    assert [process.wait() for process in both] == [0, 0]
    uri = f"sqlite:///{copied}/mlflow.db"
    client = MlflowClient(uri, uri)
    aliases = client.get_registered_model("digits-mlp").aliases
    last, first = (client.get_model_version("digits-mlp", aliases[alias]) for alias in ("champion", "previous"))
    assert {int(last.version), int(first.version)} == {3, 4}
    assert json.loads(last.tags["former_champions"]) == [int(first.version), 1]
    assert client.get_model_version("digits-mlp", "1").tags["successor"] == str(first.version)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "npy", "parquet"])
def test_memory_does_not_grow_with_the_rows(suffix: str, copied: Path) -> None:
    def peak(n: int) -> int:
        """Peak resident memory, in KB, of predicting n rows."""
        features = np.random.default_rng(0).integers(0, 17, (n, 64), np.uint8)
        path = copied / f"rows.{suffix}"
        frame = pd.DataFrame(features, columns=[f"pixel_{i}" for i in range(64)])
        {"csv": lambda: frame.to_csv(path, index=False), "npy": lambda: np.save(path, features),
         "parquet": lambda: frame.to_parquet(path, row_group_size=50_000)}[suffix]()  # fmt: skip
        arguments = ["--model-uri", "models:/digits-mlp/1", "--input", str(path), "--output", "out.parquet"]
        script = f"""
import resource, subprocess, sys
subprocess.run([sys.executable, "-m", "steps.predict", *{[*arguments, "--overwrite", "true"]!r}], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
        result = subprocess.run(
            [sys.executable, "-c", script], cwd=copied, env=environment(copied), capture_output=True, text=True
        )
        assert result.returncode == 0, result.stderr
        assert f"Predicted {n:,} rows" in result.stdout
        return int(result.stdout.split()[-1])

    assert peak(1_000_000) < 1.15 * peak(100_000)


@contextmanager
def served(folder: Path, uri: str) -> Iterator[str]:
    """Address of `mlflow models serve`, ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", uri, "--env-manager", "local", "-p", str(port)]
    process = subprocess.Popen(command, cwd=folder, env=environment(folder), start_new_session=True)
    try:
        while True:
            assert process.poll() is None
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ping")
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.2)
            else:
                break
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        process.terminate()
        process.wait()


def _request(n: int) -> dict[str, Any]:
    return {"inputs": np.asarray(TEST.features[:n]).tolist()}


@pytest.mark.slow
def test_it_is_served(folder: Path, client: MlflowClient) -> None:
    first = client.get_model_version("digits-mlp", "1")
    logged = mlflow.artifacts.download_artifacts(run_id=first.run_id, artifact_path="predictions.npz")
    expected = np.load(logged)["probabilities"][:5]
    with served(folder, "models:/digits-mlp/1") as address:
        request = urllib.request.Request(
            address, json.dumps(_request(5)).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            found = json.load(answer)["predictions"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_mlflow_models_predict(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text(json.dumps(_request(5)))
    command = [
        sys.executable, "-m", "mlflow", "models", "predict", "-m", "models:/digits-mlp@champion", "--env-manager",
        "local", "-t", "json", "-i", str(tmp_path / "request.json"), "-o", str(tmp_path / "answer.json"),
    ]  # fmt: skip
    subprocess.run(command, cwd=folder, env=environment(folder), check=True)
    found = json.loads((tmp_path / "answer.json").read_text())["predictions"]
    assert np.argmax(found, 1).tolist() == TEST.labels[:5].tolist()
