"""The model of a table by itself: raw rows of whatever form give the same predictions; what is no row is refused."""

from __future__ import annotations

import json
import pickletools
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel

from steps.base.errors import StepError
from steps.datasets import Dataset
from steps.datasets.interface import Interface
from steps.datasets.request import DataRequest
from steps.datasets.sources.source import TableSource
from steps.datasets.tables import table_as_dataset
from steps.datasets.tabular.decision import Costs, Decision
from steps.datasets.tabular.interval import PredictionInterval
from steps.mlp.config import MLPConfig
from steps.mlp.model import build_model
from steps.tracking.models import apply, check_interface, interface_of, load_network, profile_of
from steps.tracking.packaging import log_model
from tests.registered.customers import FEATURES, customers
from tests.running import run_command, succeeded

CONFIG = MLPConfig(units=(16,), batch_norm=False)


def dataset_of(frame: pd.DataFrame, target: str) -> Dataset:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return table_as_dataset(TableSource(table, "customers", "made here", "0"), None, DataRequest("", target=target))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return dataset_of(customers(), "churn")


@pytest.fixture(scope="module")
def network(dataset: Dataset) -> keras.Model:
    return build_model(CONFIG, Interface.of(dataset), seed=0)


@pytest.fixture(scope="module")
def folder(dataset: Dataset, network: keras.Model, tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """The files of a logged model."""
    folder = tmp_path_factory.mktemp("model")
    mlflow.set_tracking_uri(f"sqlite:///{shutil.copy(empty_store, folder)}")
    experiment = mlflow.create_experiment("here", f"file:{folder}/artifacts")
    with mlflow.start_run(experiment_id=experiment):
        uri = log_model(network, dataset, {})
    return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(folder / "files")))


@pytest.fixture(scope="module")
def model(folder: Path) -> PyFuncModel:
    return mlflow.pyfunc.load_model(str(folder))


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Rows that the model has not seen, with missing cells, unseen levels, and columns that it does not know."""
    frame = customers(50, seed=1)
    frame.loc[3, ["age", "member", "town"]] = None
    frame.loc[4, "since"] = pd.NaT
    frame.loc[5, ["plan", "town"]] = ["gold", "Atlantis"]
    return frame.astype({"visits": float})


@pytest.fixture(scope="module")
def expected(rows: pd.DataFrame, dataset: Dataset, network: keras.Model) -> np.ndarray:
    """Probabilities of the trained network for the rows as this project encodes them."""
    assert dataset.columns is not None
    return np.asarray(network.predict(dataset.columns.encoding.encode(rows), verbose=0))


def probabilities(found: pd.DataFrame) -> np.ndarray:
    assert found.columns.tolist() == ["predicted", "probability_no", "probability_yes"]
    return found[["probability_no", "probability_yes"]].to_numpy()


TEXT = ["member", "plan", "town"]
FORMS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "as it is": lambda frame: frame,
    "shuffled columns": lambda frame: frame[frame.columns[::-1]],
    "its own columns only": lambda frame: frame[[*FEATURES]],
    "str": lambda frame: frame.astype(dict.fromkeys(TEXT, "str")),
    "object": lambda frame: frame.astype(object).where(frame.notna(), None),
    "category": lambda frame: frame.astype(dict.fromkeys(TEXT, "category")),
    "nullable": lambda frame: frame.convert_dtypes(),
    "arrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "single precision": lambda frame: frame.astype({"visits": "float32"}),
    "whole numbers": lambda frame: frame.astype({"visits": "int16"}),
    "numbers as text": lambda frame: frame.assign(visits=frame["visits"].map("{:.1f}".format)),
    "dates as text": lambda frame: frame.assign(since=frame["since"].dt.strftime("%Y-%m-%dT%H:%M:%S")),
    "dates with zone": lambda frame: frame.assign(since=frame["since"].dt.tz_localize("UTC")),
    "booleans": lambda frame: frame.assign(member=frame["member"].map({"yes": True, "no": False})),
    "another missing": lambda frame: frame.assign(town=frame["town"].fillna("?"), plan=frame["plan"].fillna(" n/a ")),
    "records": lambda frame: frame.to_dict("records"),
    "lists": lambda frame: {name: frame[name].tolist() for name in frame},
    "from CSV": lambda frame: frame.pipe(lambda f: pd.read_csv(_csv(f))),
}


def _csv(frame: pd.DataFrame) -> Any:
    import io

    return io.StringIO(frame.to_csv(index=False))


@pytest.mark.parametrize("form", FORMS)
def test_rows_of_any_form_give_the_same_probabilities(
    form: str, rows: pd.DataFrame, model: PyFuncModel, expected: np.ndarray
) -> None:
    found = model.predict(FORMS[form](rows))
    np.testing.assert_allclose(probabilities(found), expected, atol=1e-6)
    assert found["predicted"].tolist() == [("no", "yes")[i] for i in expected.argmax(1)]


def test_predictions_have_the_index_of_their_rows(rows: pd.DataFrame, model: PyFuncModel, expected: np.ndarray) -> None:
    pairs = pd.MultiIndex.from_product([["a", "b"], range(25)])
    for index in (rows["id"], rows.index[::-1] + 7, pd.Index([0] * 50), pairs):
        found = model.predict(rows.set_index(index))
        assert found.index.equals(pd.Index(index))
        np.testing.assert_allclose(probabilities(found), expected, atol=1e-6)


def test_one_row_and_many_give_the_same_probabilities(
    rows: pd.DataFrame, model: PyFuncModel, expected: np.ndarray
) -> None:
    for i in (0, 3, 5):
        np.testing.assert_allclose(probabilities(model.predict(rows.iloc[[i]])), expected[[i]], atol=1e-6)
    many = model.predict(pd.concat([rows] * 2000))
    np.testing.assert_allclose(probabilities(many), np.tile(expected, (2000, 1)), atol=1e-6)
    assert model.predict(rows[:0]).columns.tolist() == ["predicted", "probability_no", "probability_yes"]


@pytest.mark.parametrize("column", FEATURES)
def test_a_missing_column_is_refused_by_its_name(column: str, rows: pd.DataFrame, model: PyFuncModel) -> None:
    with pytest.raises(
        MlflowException, match=rf"column '{column}' is missing|missing inputs \['{column}'\]"
    ) as refused:
        model.predict(rows.drop(columns=column))
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("visits", "many", "column 'visits' must be a number within ±3e.38, got 'many' in row 8"),
        ("age", float("inf"), "column 'age' must be a number within ±3e.38, got inf in row 8"),
        ("since", "someday", "column 'since' must be a date as '20.*', got 'someday' in row 8"),
    ],
)
def test_a_cell_that_is_no_value_is_refused_by_column_and_row(
    column: str, value: object, reason: str, rows: pd.DataFrame, model: PyFuncModel
) -> None:
    wrong = rows.astype({column: object})
    wrong.loc[7, column] = value
    with pytest.raises(MlflowException, match=reason) as refused:
        model.predict(wrong)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_numbers_are_predicted_with_their_intervals(tracking: Path) -> None:
    prices = customers().drop(columns="churn").rename(columns={"age": "price"}).dropna(subset="price")
    dataset = dataset_of(prices, "price").with_interval(PredictionInterval(7.5, least=0.0))
    network = build_model(CONFIG, Interface.of(dataset), seed=0)
    with mlflow.start_run():
        uri = log_model(network, dataset, {})
    model = mlflow.pyfunc.load_model(uri)
    rows = prices[:20].drop(columns="price")
    found = model.predict(rows)
    assert dataset.columns is not None
    expected = network.predict(dataset.columns.encoding.encode(prices[:20]), verbose=0)
    assert found.columns.tolist() == ["predicted", "low", "high"]
    np.testing.assert_allclose(found.to_numpy(), expected + np.array([0, -7.5, 7.5]), rtol=1e-6)
    check = check_interface(model, uri)
    assert (check.passed, check.detail) == (True, "the input example gives predicted, low, high, the signature holds")
    assert interface_of(mlflow.artifacts.download_artifacts(uri)).interval == PredictionInterval(7.5, least=0.0)
    np.testing.assert_array_equal(apply(model, rows, dataset.target)[:, 0], found["predicted"])


def test_the_class_is_predicted_by_the_threshold_of_the_costs(
    tracking: Path, dataset: Dataset, network: keras.Model, rows: pd.DataFrame, expected: np.ndarray
) -> None:
    decision = Decision(float(np.median(expected[:, 1]).round(4)), Costs(1, 5))
    with mlflow.start_run():
        uri = log_model(network, dataset.with_decision(decision), {})
    found = mlflow.pyfunc.load_model(uri).predict(rows)
    np.testing.assert_allclose(probabilities(found), expected, atol=1e-6)
    assert found["predicted"].tolist() == [("no", "yes")[int(p >= decision.threshold)] for p in expected[:, 1]]
    assert len(set(found["predicted"])) == 2
    interface = interface_of(mlflow.artifacts.download_artifacts(uri))
    assert interface.columns is not None
    assert interface.target.decision == interface.columns.target.decision == decision


def test_its_description_says_what_it_takes(folder: Path, model: PyFuncModel, dataset: Dataset) -> None:
    signature = model.metadata.signature
    assert signature.inputs.input_names() == [*FEATURES]
    assert signature.inputs.optional_input_names() == ["age", "plan"]
    assert signature.outputs.input_names() == ["predicted", "probability_no", "probability_yes"]
    example = model.metadata.load_input_example(str(folder))
    assert example.columns.tolist() == [*FEATURES]
    assert dataset.test_rows is not None
    assert example["town"].tolist() == dataset.test_rows["town"][:5].to_pylist()
    assert check_interface(model, str(folder)).passed
    found = interface_of(str(folder))
    assert found.columns is not None
    assert found.columns.to_json() == Interface.of(dataset).columns.to_json()  # type: ignore[union-attr]
    pinned = {line.split("==")[0] for line in (folder / "requirements.txt").read_text().split()}
    assert pinned == {"mlflow", "tensorflow", "keras", "numpy", "pandas", "pyarrow"}


def test_it_has_the_profile_of_its_training_rows(folder: Path, dataset: Dataset) -> None:
    assert dataset.profile is not None
    assert profile_of(str(folder)).to_json() == dataset.profile.to_json()
    assert [histogram.name for histogram in dataset.profile.histograms] == [*FEATURES]


def test_a_model_without_a_profile_is_one_all_the_same(
    folder: Path, rows: pd.DataFrame, expected: np.ndarray, tmp_path: Path
) -> None:
    older = Path(shutil.copytree(folder, tmp_path / "older"))
    (older / "artifacts" / "profile.json").unlink()
    described = yaml.safe_load((older / "MLmodel").read_text())
    del described["metadata"]["has_profile"]
    del described["flavors"]["python_function"]["artifacts"]["profile"]
    (older / "MLmodel").write_text(yaml.safe_dump(described))
    assert profile_of(str(older)).histograms == ()
    np.testing.assert_allclose(probabilities(mlflow.pyfunc.load_model(str(older)).predict(rows)), expected, atol=1e-6)


def test_it_is_loaded_and_applied_without_its_profile(
    folder: Path, rows: pd.DataFrame, expected: np.ndarray, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    (other / "artifacts" / "profile.json").write_text("unreadable")
    np.testing.assert_allclose(probabilities(mlflow.pyfunc.load_model(str(other)).predict(rows)), expected, atol=1e-6)
    with pytest.raises(StepError, match="cannot be read"):
        profile_of(str(other))


def test_it_holds_no_pickle(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with pytest.raises(ValueError, match=r"\w"):
                list(pickletools.genops(path.read_bytes()))


def test_its_network_is_the_one_that_was_trained(folder: Path, network: keras.Model) -> None:
    found = load_network(str(folder)).get_weights()
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(found, network.get_weights(), strict=True))


def test_keras_alone_loads_the_network_and_mlflow_the_model(
    folder: Path, rows: pd.DataFrame, dataset: Dataset, expected: np.ndarray, tmp_path: Path
) -> None:
    assert dataset.columns is not None
    np.save(tmp_path / "features.npy", dataset.columns.encoding.encode(rows))
    rows.to_parquet(tmp_path / "rows.parquet")
    alone = f"""
import sys
import keras, numpy as np
model = keras.saving.load_model({str(folder / "artifacts" / "model.keras")!r}, safe_mode=True)
np.save("keras.npy", model.predict(np.load("features.npy"), verbose=0))
assert not any(name.split(".")[0] in ("steps", "mlflow") for name in sys.modules)

import mlflow, pandas as pd
found = mlflow.pyfunc.load_model({str(folder)!r}).predict(pd.read_parquet("rows.parquet"))
np.save("mlflow.npy", found.filter(like="probability_"))
assert not any(name.split(".")[0] == "steps" for name in sys.modules)
"""
    succeeded(run_command([sys.executable, "-I", "-c", alone], tmp_path))
    for name in ("keras", "mlflow"):
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), expected, atol=1e-6)


def test_two_models_in_one_process_run_their_own_code(
    folder: Path, rows: pd.DataFrame, model: PyFuncModel, expected: np.ndarray, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    code = other / "artifacts" / "tabular" / "predictions.py"
    code.write_text(code.read_text().replace('PREDICTED = "predicted"', 'PREDICTED = "guessed"'))
    before = list(sys.path)
    theirs = mlflow.pyfunc.load_model(str(other))
    assert sys.path == before
    assert theirs.predict(rows).columns[0] == "guessed"
    np.testing.assert_allclose(probabilities(model.predict(rows)), expected, atol=1e-6)


def test_columns_of_another_table_are_named(dataset: Dataset) -> None:
    ours = Interface.of(dataset)
    assert ours.differences(ours) == []
    more_levels = dataset_of(pd.concat([customers(), customers(300, 5).assign(town="Rome")]), "churn")
    assert ours.differences(Interface.of(more_levels)) == []
    changed = customers().rename(columns={"age": "years"}).assign(visits=lambda frame: frame["visits"] % 2 == 0)
    assert ours.differences(Interface.of(dataset_of(changed, "churn"))) == [
        "column 'age' (number) is not in the other",
        "column 'years' (number) is only in the other",
        "column 'visits' is a number, in the other a boolean",
    ]
    assert ours.differences(Interface.of(dataset_of(customers(), "member"))) == [
        "target 'churn', in the other 'member'",
        "column 'member' (boolean) is not in the other",
        "column 'churn' (boolean) is only in the other",
    ]


def test_metadata_are_plain(folder: Path) -> None:
    described = mlflow.models.Model.load(str(folder))
    assert json.loads(json.dumps(described.metadata))["is_table"] is True
