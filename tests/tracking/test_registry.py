from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow.entities.model_registry import ModelVersion

from steps.base.errors import InputError, StepError
from steps.datasets.interface import Interface
from steps.datasets.tabular.target import Target
from steps.tasks.classification.task import Classification
from steps.tasks.metric import Interval
from steps.tasks.requirements import Requirement, check_requirements
from steps.tracking.lineage import lineage_of
from steps.tracking.model_uris import find_model
from steps.tracking.models import interface_of, load_model, load_network
from steps.tracking.registry import Candidate, check_compatible, list_versions, publish_card, register

PETS = Target("classification", class_names=("cat", "dog"))
TASK = Classification(PETS)
Register = Callable[..., ModelVersion]


def test_an_approved_version_carries_its_tags(registered: Register) -> None:
    version = registered("m", 0.95)
    assert version.aliases == []  # aliases are for promote
    expected = {
        "validation_status": "approved",
        "trial_number": "3",
        "git_commit": "commit",
        "test_accuracy": "0.95",
        "metric": "accuracy",
    }
    assert expected.items() <= version.tags.items()
    assert json.loads(version.tags["checks"]) == {"require_accuracy": True}
    assert "95.00 %" in version.description


def test_a_rejected_version_says_why(registered: Register) -> None:
    version = registered("m", 0.85)
    assert version.tags["validation_status"] == "rejected"
    assert "test accuracy 0.8500 is below 0.9" in version.tags["validation_reason"]
    assert "Rejected" in version.description


def test_the_card_stands_below_the_description_and_in_the_model(registered: Register, tmp_path: Path) -> None:
    version = registered("m", 0.95)
    publish_card(version, version.source, "# m version 1\n\n## Scores\n\nGood.\n")
    described = mlflow.MlflowClient().get_model_version("m", version.version).description
    assert described == f"{version.description}\n\n# m version 1\n\n## Scores\n\nGood.\n"
    path = mlflow.artifacts.download_artifacts("models:/m/1/card.md", dst_path=str(tmp_path))
    assert Path(path).read_text(encoding="utf-8") == "# m version 1\n\n## Scores\n\nGood.\n"


def test_a_long_card_loses_its_last_sections_in_the_description(registered: Register) -> None:
    version = registered("m", 0.95)
    publish_card(version, version.source, "# m version 1\n\n## Scores\n\nGood.\n\n## Data\n\n" + "column\n" * 1000)
    described = mlflow.MlflowClient().get_model_version("m", version.version).description
    assert described.endswith("Good.\n\nThe whole card is `card.md` among the files of the model.\n")


def test_versions_are_listed_newest_first(registered: Register) -> None:
    for name, accuracy in (("m", 0.95), ("m", 0.5), ("other", 0.99)):
        registered(name, accuracy)
    mlflow.MlflowClient().set_registered_model_alias("m", "champion", 1)
    rows = list_versions("")
    assert [(row.model, row.version, row.validation_status) for row in rows] == [
        ("m", 2, "rejected"), ("m", 1, "approved"), ("other", 1, "approved"),
    ]  # fmt: skip
    assert rows[1].aliases == ("champion",)
    with pytest.raises(InputError, match=r"\(m, other\), got 'n'"):
        list_versions("n")


def test_a_registry_of_more_than_one_page_is_read_whole(tracking: Path) -> None:
    client = mlflow.MlflowClient()
    names = [f"m-{n:03d}" for n in range(105)]  # MLflow's pages have 100 entries
    for name in names:
        client.create_registered_model(name)
    for _ in range(2):
        client.create_model_version(names[-1], "somewhere")
    client.set_registered_model_alias(names[-1], "champion", "2")
    assert [(row.model, row.version) for row in list_versions(names[-1])] == [(names[-1], 2), (names[-1], 1)]
    assert {row.model for row in list_versions("")} == {names[-1]}
    assert find_model(f"models:/{names[-1]}@champion") == f"models:/{names[-1]}/2"
    for ask in (lambda: list_versions("n"), lambda: find_model("models:/n/1")):
        with pytest.raises(InputError, match=f"{names[0]}, .*{names[101]}, .*{names[-1]}"):
            ask()


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("models:/n/1", r"must name a registered model \(m\), got 'models:/n/1'"),
        ("models:/m/3", r"of m \(/1, /2, @champion\), got 'models:/m/3'"),
        ("models:/m@nobody", r"of m \(/1, /2, @champion\), got 'models:/m@nobody'"),
        ("somewhere/model", "must be models:/<name>/<version> or models:/<name>@<alias>, got 'somewhere/model'"),
    ],
)
def test_a_model_that_is_not_there_lists_what_is(uri: str, expected: str, registered: Register) -> None:
    registered("m", 0.95)
    registered("m", 0.95)
    mlflow.MlflowClient().set_registered_model_alias("m", "champion", 2)
    assert find_model("models:/m@champion") == "models:/m/2"
    with pytest.raises(InputError, match=expected):
        find_model(uri)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, ""),
        (
            {"target": replace(PETS, class_names=("cat", "dog", "cow"))},
            "classes cat, dog, in the other cat, dog, cow",
        ),
        ({"n_features": 5}, "number of features 4, in the other 5"),
        ({"image_shape": (4, 1)}, r"image shape \(2, 2\), in the other \(4, 1\)"),
    ],
    ids=["equal", "classes", "features", "shape"],
)
def test_other_classes_or_features_are_refused(changed: dict[str, object], reason: str, registered: Register) -> None:
    interface = Interface(PETS, 4, np.dtype("uint8"), 255.0, (2, 2))
    check_compatible("m", interface)  # nothing is registered yet
    registered("m", 0.95, interface=interface)
    if not reason:
        check_compatible("m", interface)
        return
    with pytest.raises(InputError, match=reason):
        check_compatible("m", replace(interface, **changed))  # type: ignore[arg-type]


def test_files_that_are_gone_are_missed_by_their_place(registered: Register, tracking: Path) -> None:
    registered("pets", 0.95)
    shutil.move(tracking / "mlruns", tracking / "elsewhere")
    for read in (interface_of, load_network, load_model, lineage_of):
        with pytest.raises(
            StepError, match=rf"^the files of the model models:/pets/1 are missing at {tracking}/mlruns/"
        ):
            read("models:/pets/1")


def test_files_that_are_moved_with_their_store_are_found_beside_it(registered: Register, tracking: Path) -> None:
    registered("pets", 0.95)
    new = tracking.with_name(f"{tracking.name}-moved")
    shutil.move(tracking, new)
    for set_uri in (mlflow.set_tracking_uri, mlflow.set_registry_uri):
        set_uri(f"sqlite:///{new}/mlflow.db")
    with pytest.raises(StepError, match=rf"; they are in {new} now: move them back, or run: ln -s {new} {tracking}$"):
        interface_of("models:/pets/1")


@pytest.fixture
def registered(tracking: Path) -> Register:
    """Registers a version of a given accuracy, with a model that was really logged."""

    class Constant(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
        def predict(self, model_input):  # type: ignore[no-untyped-def]
            return np.zeros((len(model_input), 2), np.float32)

    def register_one(name: str, accuracy: float, interface: Interface | None = None) -> ModelVersion:
        signature = None
        if interface:
            example = np.zeros((3, interface.n_features), interface.dtype)
            signature = mlflow.models.infer_signature(example, np.zeros((3, 2), np.float32))
        with mlflow.start_run():
            uri = mlflow.pyfunc.log_model(
                name="model", python_model=Constant(), pip_requirements=[], signature=signature,
                metadata=interface.as_metadata() if interface else None,
            ).model_uri  # fmt: skip
        score = Interval(accuracy, accuracy - 0.01, accuracy + 0.01)
        checks = check_requirements((Requirement("accuracy", ">=", 0.9),), TASK, {"accuracy": score})
        return register(name, Candidate(uri, checks, "accuracy", score, "data", "tune", 3, "commit", "w"))

    return register_one
