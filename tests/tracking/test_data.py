"""Without a run ID the newest download run is taken, and never other data than the last ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from steps.base.errors import InputError
from steps.datasets import Dataset
from steps.tracking.data import load_data, newest_data_run
from steps.tracking.runs import step_run
from steps.tracking.tags import DATASET_DIGEST_TAG


def download(dataset: str, digest: str = "", status: str = "FINISHED") -> str:
    with step_run("download", {"dataset": dataset}) as run:
        mlflow.log_text("{}", "dataset/dataset.json")
        mlflow.set_tag(DATASET_DIGEST_TAG, digest or dataset)
    MlflowClient().set_terminated(run.info.run_id, status)
    return str(run.info.run_id)


def test_an_empty_store_has_none_and_the_newest_finished_one_counts(tracking: Path) -> None:
    assert newest_data_run() is None
    for _ in range(2):
        wanted = download("digits")
    download("mnist", status="FAILED")
    assert newest_data_run().info.run_id == wanted  # type: ignore[union-attr]


def test_a_renamed_experiment_is_named(tracking: Path) -> None:
    wanted = download("customers.csv")
    MlflowClient().rename_experiment("0", "churn")
    for _ in range(2):  # the second time there is a new experiment of the old name
        with pytest.raises(
            InputError,
            match=f"'Default' has no download run; the newest one is {wanted} .customers.csv. in .* 'churn'",
        ):
            newest_data_run()


def test_a_deleted_experiment_is_named(tracking: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "first")
    wanted = download("customers.csv")
    MlflowClient().delete_experiment(mlflow.get_experiment_by_name("first").experiment_id)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "second")
    with pytest.raises(InputError, match=f"the newest one is {wanted} .customers.csv. in the experiment 'first'"):
        newest_data_run()


def test_a_deleted_run_is_named_with_what_is_left(tracking: Path) -> None:
    client = MlflowClient()
    first = download("mnist")
    second = download("customers.csv")
    client.delete_run(second)
    with pytest.raises(
        InputError,
        match=f"deleted: {second} .customers.csv.; .* restore --run-id {second}; .* another one: {first} .mnist.",
    ):
        newest_data_run()
    client.delete_run(first)
    with pytest.raises(InputError, match=f"restore --run-id {second}$"):
        newest_data_run()
    client.restore_run(second)
    assert newest_data_run().info.run_id == second  # type: ignore[union-attr]


def test_equal_data_of_an_older_run_will_do(tracking: Path) -> None:
    first, second = download("digits", "same"), download("digits", "same")
    MlflowClient().delete_run(second)
    assert newest_data_run().info.run_id == first  # type: ignore[union-attr]


def test_files_that_are_gone_are_missed_by_their_place(tracking: Path, digits: Dataset) -> None:
    download("mnist")
    wanted = download("digits")
    shutil.rmtree(tracking / "mlruns" / "0" / wanted)
    for ask in (newest_data_run, lambda: load_data(wanted, ("train",))):
        with pytest.raises(InputError, match=f"{tracking}/mlruns/0/{wanted}/artifacts, which has none"):
            ask()
