from __future__ import annotations

from pathlib import Path

import keras
import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow.exceptions import MlflowException
from mlflow.models import Model, infer_signature
from mlflow.tracking import MlflowClient

from steps.base.errors import InputError, StepError
from steps.datasets import Dataset, Split
from steps.datasets.dataset import SPLITS
from steps.datasets.interface import Interface
from steps.datasets.request import DataRequest
from steps.datasets.tabular.decision import Costs, Decision
from steps.datasets.tabular.sets import PredictionSets
from steps.datasets.tabular.target import Target
from steps.tracking.lineage import lineage_of
from steps.tracking.model_uris import check_model_name, find_model, versions_of
from steps.tracking.models import check_interface, interface_of, load_network
from steps.tracking.packaging import log_model
from tests.running import run_step

FEATURES = np.arange(8, dtype=np.uint8).reshape(2, 4)
IMAGES = Dataset(
    "pets",
    {name: Split(FEATURES.copy(), np.array([0, 1], np.int32)) for name in SPLITS},
    Target(
        "classification", class_names=("cat", "dog"), decision=Decision(0.3, Costs(2, 4.5)), sets=PredictionSets((0.5,))
    ),
    DataRequest("pets"),
    "drawn here",
    feature_max=16.0,
    image_shape=(2, 2),
)


@pytest.fixture
def logged(tracking: Path) -> str:
    """URI of a small model of images, logged as `evaluate` does."""
    inputs = keras.Input((4,))
    network = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(inputs))
    with mlflow.start_run():
        return log_model(network, IMAGES, {})


def test_what_is_logged_is_what_is_found(logged: str) -> None:
    assert interface_of(logged) == Interface.of(IMAGES)
    assert load_network(logged).predict(FEATURES, verbose=0).shape == (2, 2)
    check = check_interface(mlflow.pyfunc.load_model(logged), logged)
    assert (check.passed, check.detail) == (True, "the input example gives float32 (2, 2), the signature holds")
    with pytest.raises(InputError, match="which has no lineage"):
        lineage_of(logged)


def test_images_are_taken_in_any_form_that_holds_their_pixels(logged: str) -> None:
    model, network = mlflow.pyfunc.load_model(logged), mlflow.tensorflow.load_model(logged)
    expected = network.predict(FEATURES, verbose=0)
    for given in (
        FEATURES,
        FEATURES.astype(float),
        FEATURES.tolist(),
        FEATURES.reshape(2, 2, 2),
        pd.DataFrame(FEATURES),
    ):
        np.testing.assert_allclose(model.predict(given), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([[0, 1, 0.5, 1]], "pixels must be whole numbers from 0 to 16, got 0.5 at position 2 of image 1"),
        ([[0, 1, 2, 3], [0, 17, 2, 3]], "from 0 to 16, got 17 at position 1 of image 2"),
        ([[0, 1, 2, -1]], "from 0 to 16, got -1 at position 3"),
        ([[0, float("nan"), 2, 1]], "from 0 to 16, got nan at position 1"),
        ([[1, 2, 3]], r"images must have 4 pixels each, got an array of shape \(1, 3\)"),
        ([["a", "b", "c", "d"]], "images must be numbers, one per pixel"),
    ],
)
def test_images_that_are_none_are_refused_not_cut(given: list[list[object]], reason: str, logged: str) -> None:
    with pytest.raises(MlflowException, match=reason) as refused:
        mlflow.pyfunc.load_model(logged).predict(given)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_an_example_that_does_not_fit_fails_the_check(logged: str, tracking: Path) -> None:
    (example,) = tracking.rglob("input_example.json")
    for content in ('{"inputs": [[1, 2, 3]]}', '{"inputs": [["a", "b", "c", "d"]]}'):
        example.write_text(content)
        check = check_interface(mlflow.pyfunc.load_model(logged), logged)
        assert not check.passed
        assert "does not work" in check.detail


@pytest.mark.parametrize("damage", ["cut", "changed", "missing"])
def test_a_damaged_model_is_named_with_what_is_wrong(damage: str, logged: str, tracking: Path) -> None:
    (path,) = tracking.rglob("model.keras")
    content = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "changed":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes(byte ^ 255 for byte in content[middle:]))
    with pytest.raises(StepError, match=rf"the model {logged} cannot be read: \w+"):
        load_network(logged)


@pytest.mark.parametrize("content", ["", "flavors: [", "\0\0"])
def test_a_damaged_description_is_named_too(content: str, logged: str, tracking: Path) -> None:
    (path,) = tracking.rglob("MLmodel")
    path.write_text(content)
    with pytest.raises(StepError, match=rf"the model {logged} cannot be read"):
        interface_of(logged)


def test_a_step_that_needs_a_damaged_model_says_so_in_one_line(logged: str, tracking: Path) -> None:
    mlflow.register_model(logged, "m")
    (path,) = tracking.rglob("MLmodel")
    path.write_text("flavors: [")
    result = run_step(tracking, "predict", "--model-uri", "models:/m/1", "--output", "out.csv")
    assert result.returncode == 1
    assert result.stderr.startswith("Error: the model models:/m/1 cannot be read: ")
    assert result.stderr.count("\n") == 1


def test_a_model_of_somebody_else_is_refused(tracking: Path) -> None:
    inputs = keras.Input((4,))
    network = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    with mlflow.start_run():
        signature = infer_signature(FEATURES, network.predict(FEATURES, verbose=0))
        uri = mlflow.tensorflow.log_model(network, name="model", signature=signature, pip_requirements=[]).model_uri
    assert Model.load(uri).signature is not None
    with pytest.raises(InputError, match="must be a model of this project"):
        interface_of(uri)


@pytest.mark.parametrize(
    ("key", "value"),
    [("is_table", None), ("target", {}), ("target", 7), ("feature_max", "high"), ("image_shape", 3), ("lineage", {})],
)
def test_what_another_version_of_the_project_registered_is_one_line(
    key: str, value: object, logged: str, tracking: Path
) -> None:
    (path,) = tracking.rglob("MLmodel")
    described = yaml.safe_load(path.read_text())
    described["metadata"][key] = value
    if value is None:
        del described["metadata"][key]
    path.write_text(yaml.safe_dump(described))
    with pytest.raises(InputError, match="must be a model that this version of the project can read"):
        (lineage_of if key == "lineage" else interface_of)(logged)


NOT_NAMES = ["team/digits", "a:b", "a@b", "a?b", "it's", 'say "x"', "a\nb", "a\tb", " a", "a ", ".", "..", "x" * 257]
NAMES = ["digits-mlp", "a b", "a.b", "ü→", "😀", "a%b", "$(x)", "a#b", "-a", "x" * 256, "1", "<b>"]


@pytest.mark.parametrize("name", NOT_NAMES)
def test_a_name_by_which_no_model_could_be_found_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"^model_name must be a name"):
        check_model_name(name)


def test_every_other_name_is_found_by_search_and_by_uri(tracking: Path) -> None:
    client = MlflowClient()
    for name in NAMES:
        check_model_name(name)
        client.create_registered_model(name)
        client.create_model_version(name, f"{tracking}/model")
        client.set_registered_model_alias(name, "champion", "1")
        assert [version.name for version in versions_of(name)] == [name]
        assert find_model(f"models:/{name}@champion") == find_model(f"models:/{name}/1") == f"models:/{name}/1"
