from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest

from steps.errors import InputError
from steps.tracking.registry import Candidate, list_versions, register, version_by_alias


@pytest.fixture
def candidate(tracking: Path) -> Callable[[float], Candidate]:
    """A candidate of a given accuracy, with a model that was really logged."""

    class Constant(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
        def predict(self, model_input: list[str]) -> list[str]:
            return model_input

    with mlflow.start_run():
        uri = mlflow.pyfunc.log_model(name="model", python_model=Constant(), pip_requirements=[]).model_uri
    base = Candidate(uri, 0.9, 0.95, 0.94, 0.96, "digest", "tune", 3, "commit")
    return lambda accuracy: replace(base, test_accuracy=accuracy)


def test_the_best_approved_version_is_champion(candidate: Callable[[float], Candidate]) -> None:
    first = register("m", candidate(0.95))
    assert sorted(first.aliases) == ["challenger", "champion"]
    assert {"validation_status": "approved", "trial_number": "3", "git_commit": "commit"}.items() <= first.tags.items()
    assert register("m", candidate(0.93)).aliases == ["challenger"]
    assert sorted(register("m", candidate(0.97)).aliases) == ["challenger", "champion"]
    assert version_by_alias("m", "champion").version == 3  # type: ignore[union-attr]


def test_a_rejected_version_gets_no_alias_and_says_why(candidate: Callable[[float], Candidate]) -> None:
    version = register("m", candidate(0.85))
    assert version.aliases == []
    assert version.tags["validation_status"] == "rejected"
    assert "0.8500 is below min_accuracy 0.9" in version.tags["validation_reason"]
    assert "Rejected" in version.description


def test_versions_are_listed_newest_first(candidate: Callable[[float], Candidate]) -> None:
    for accuracy in (0.95, 0.5):
        register("m", candidate(accuracy))
    register("other", candidate(0.99))
    rows = list_versions("")
    assert [(row.model, row.version, row.validation_status) for row in rows] == [
        ("m", 2, "rejected"), ("m", 1, "approved"), ("other", 1, "approved"),
    ]  # fmt: skip
    assert rows[1].aliases == ("challenger", "champion")
    with pytest.raises(InputError, match=r"\(m, other\), got 'n'"):
        list_versions("n")
