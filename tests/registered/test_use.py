"""Use of a registered model: loading it, applying it to files, serving it."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient
from PIL import Image

from deploy.postgresql import free_port
from steps.datasets import Split
from tests.running import module, run_command, run_step, script, serving, succeeded


def test_keras_alone_loads_the_model(
    unseen: Split, folder: Path, client: MlflowClient, second: ModelVersion, tmp_path: Path
) -> None:
    path = Path(mlflow.artifacts.download_artifacts("models:/digits-mlp/2/data/model.keras"))
    np.save(tmp_path / "features.npy", unseen.features)
    alone = f"""
import sys
import keras, numpy as np
model = keras.saving.load_model({str(path)!r}, safe_mode=True)
np.save("probabilities.npy", model.predict(np.load("features.npy"), verbose=0))
assert not any(name.split(".")[0] in ("steps", "mlflow") for name in sys.modules)
"""
    succeeded(run_command([sys.executable, "-I", "-c", alone], tmp_path))
    logged = mlflow.artifacts.download_artifacts(run_id=second.run_id, artifact_path="predictions.npz")
    np.testing.assert_allclose(np.load(tmp_path / "probabilities.npy"), np.load(logged)["outputs"], atol=1e-6)


def test_predict_a_table_with_labels_and_a_bad_row(
    unseen: Split, copied: Path, client: MlflowClient, second: ModelVersion
) -> None:
    rows = pd.DataFrame(np.asarray(unseen.features), columns=[f"pixel_{i}" for i in range(64)]).astype(object)
    rows["label"] = unseen.targets
    rows.loc[6, "pixel_3"] = "dark"
    rows.to_csv(copied / "rows.csv", index=False)
    result = run_step(
        copied, "predict", "--model-uri", "models:/digits-mlp/2", "--input", "rows.csv", "--output", "out.csv"
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stderr == "Bad row 7: column 'pixel_3' must be a number, got 'dark'\n"
    found = pd.read_csv(copied / "out.csv")
    assert found["row"].tolist() == [n for n in range(1, 361) if n != 7]
    logged = mlflow.artifacts.download_artifacts(run_id=second.run_id, artifact_path="predictions.npz")
    expected = np.delete(np.load(logged)["outputs"], 6, 0)
    np.testing.assert_allclose(found.filter(like="probability_"), expected, rtol=1e-4, atol=1e-6)
    assert found["predicted"].tolist() == expected.argmax(1).tolist()
    uri = f"sqlite:///{copied}/mlflow.db"
    (made,) = MlflowClient(uri, uri).search_runs(["0"], "tags.`pipeline.step` = 'predict'")
    assert made.data.metrics["accuracy_score"] == (expected.argmax(1) == np.delete(unseen.targets, 6)).mean()
    assert (made.data.metrics["n_predicted"], made.data.metrics["n_bad"]) == (359, 1)


def test_darker_images_are_said(unseen: Split, copied: Path) -> None:
    np.save(copied / "dark.npy", np.asarray(unseen.features) // 2)
    given = ("--model-uri", "models:/digits-mlp/2", "--input", "dark.npy", "--output", "out.csv")
    result = run_step(copied, "predict", *given)
    assert result.returncode == 0, result.stderr
    assert result.stderr.startswith("Drift: 2 of 2 measures of the images differ from the training data: ")
    assert "brightness (PSI " in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.slow
def test_predict_images_to_parquet(unseen: Split, copied: Path, client: MlflowClient) -> None:
    (copied / "scans").mkdir()
    for i in range(20):
        dark_on_light = 255 - np.kron(unseen.features[i].reshape(8, 8) * (255 / 16), np.ones((3, 3)))
        Image.fromarray(np.rint(dark_on_light).astype(np.uint8)).save(copied / "scans" / f"{i:02d}.png")
    result = run_step(
        copied, "predict", "--model-uri", "models:/digits-mlp/1", "--input", "scans", "--invert", "true",
        "--output", "out.parquet",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    found = pd.read_parquet(copied / "out.parquet")
    assert found["file"].tolist() == [f"{i:02d}.png" for i in range(20)]
    first = client.get_model_version("digits-mlp", "1")
    logged = mlflow.artifacts.download_artifacts(run_id=first.run_id, artifact_path="predictions.npz")
    expected = np.load(logged)["outputs"][:20]
    np.testing.assert_allclose(found.filter(like="probability_"), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_pictures_unlike_those_of_the_training_are_predicted_with_a_hint(copied: Path) -> None:
    stroke = np.full((20, 60), 255, np.uint8)
    stroke[4:16, 29:31] = 0
    Image.fromarray(stroke).save(copied / "wide.png")
    result = run_step(
        copied, "predict", "--model-uri", "models:/digits-mlp/1", "--input", "wide.png", "--output", "out.csv"
    )
    assert result.returncode == 0, result.stderr
    proportions, background, drift = result.stderr.splitlines()
    assert proportions.startswith("Hint: 1 of the first 1 images have other proportions than those of the model")
    assert background.startswith("Hint: The training data have a dark background")
    assert "brightness (PSI " in drift
    uri = f"sqlite:///{copied}/mlflow.db"
    (made,) = MlflowClient(uri, uri).search_runs(["0"], "tags.`pipeline.step` = 'predict'")
    assert made.data.tags["hint"] == f"{proportions}\n{background}".replace("Hint: ", "")


def test_rows_that_are_wrong_everywhere_end_the_run(unseen: Split, copied: Path) -> None:
    np.save(copied / "rows.npy", np.asarray(unseen.features) / 16)  # scaled to [0, 1], as other models want it
    result = run_step(
        copied, "predict", "--model-uri", "models:/digits-mlp/1", "--input", "rows.npy", "--output", "out.csv"
    )
    assert result.returncode == 2
    assert "must have rows that the model takes, got none; row 1: column '3' must be a whole number" in result.stderr
    assert not list(copied.glob("*out.csv*"))


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
        measured = f"""
import resource, subprocess, sys
subprocess.run([sys.executable, "-m", "steps.predict", *{[*arguments, "--overwrite", "true"]!r}], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
        said = succeeded(run_command(script(measured), copied))
        assert f"Predicted {n:,} rows" in said
        return int(said.split()[-1])

    assert peak(1_000_000) < 1.15 * peak(100_000)


@contextmanager
def served(folder: Path, uri: str) -> Iterator[str]:
    """Address of `mlflow models serve`, ready."""
    port = free_port()
    command = module("mlflow", "models", "serve", "-m", uri, "--env-manager", "local", "-p", str(port))
    with serving(command, folder, f"http://127.0.0.1:{port}/ping"):
        yield f"http://127.0.0.1:{port}/invocations"


def _request(unseen: Split, n: int) -> str:
    return json.dumps({"inputs": np.asarray(unseen.features[:n]).tolist()})


@pytest.mark.slow
def test_it_is_served(unseen: Split, folder: Path, client: MlflowClient) -> None:
    first = client.get_model_version("digits-mlp", "1")
    logged = mlflow.artifacts.download_artifacts(run_id=first.run_id, artifact_path="predictions.npz")
    expected = np.load(logged)["outputs"][:5]
    with served(folder, "models:/digits-mlp/1") as address:
        request = urllib.request.Request(address, _request(unseen, 5).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            found = json.load(answer)["predictions"]
        scaled = json.dumps({"inputs": (np.asarray(unseen.features[:2]) / 16).tolist()}).encode()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(address, scaled, {"Content-Type": "application/json"}))
        assert refused.value.code == 400
        assert "pixels must be whole numbers from 0 to 16, got 0.125" in json.loads(refused.value.read())["message"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_mlflow_models_predict(unseen: Split, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text(_request(unseen, 5))
    files = ("-i", str(tmp_path / "request.json"), "-o", str(tmp_path / "answer.json"))
    options = ("-m", "models:/digits-mlp@champion", "--env-manager", "local", "-t", "json", *files)
    succeeded(run_command(module("mlflow", "models", "predict", *options), folder))
    found = json.loads((tmp_path / "answer.json").read_text())["predictions"]
    assert np.argmax(found, 1).tolist() == unseen.targets[:5].tolist()
