from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from steps.base.errors import InputError, StepError
from steps.datasets.dataset import DataError
from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest
from steps.tracking import lineage as provenance
from steps.tracking.lineage import Lineage, MemberLineage, code_version, differences, load_data, package_versions

HARDWARE = {"processor": "one", "cpu_features": "avx2 fma", "cores": 2}
DIGITS = load_dataset(DataRequest("digits", validation_fraction=0.2, seed=3))
LINEAGE = Lineage(
    data={"name": "digits", "digest": DIGITS.digest, "source": "", "request": DIGITS.request.to_json()},
    runs={},
    study={},
    hyperparameters={},
    training={"epochs": 3, "seed": 0, "precision": "float32"},
    weights_digest="",
    packages=package_versions(),
    code={**code_version(), "dirty": False},
    hardware=HARDWARE,
)


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "code_version", lambda: LINEAGE.code)


def test_the_data_come_from_the_lineage_without_the_test_split() -> None:
    found = load_data(LINEAGE)
    assert set(found.splits) == {"train", "validation"}
    assert found.digest == DIGITS.digest
    with pytest.raises(StepError, match="digest expected 0000, found"):
        load_data(replace(LINEAGE, data={**LINEAGE.data, "digest": "0000"}))


def test_an_ensemble_is_read_back_in_whatever_order_it_was_kept() -> None:
    members = {
        f"trial-{number:03d}": MemberLineage(number, "e" * 32, 0.5, {"units_0": number}, 7, 9, seed=number)
        for number in (12, 3)
    }
    lineage = replace(LINEAGE, members=members)
    metadata = yaml.safe_load(yaml.safe_dump(lineage.as_metadata()))  # as MLflow keeps it, sorted
    assert Lineage.from_metadata(metadata) == lineage
    assert lineage.trained == members


def test_the_members_of_earlier_versions_have_the_seed_of_the_training() -> None:
    member = MemberLineage(3, "e" * 32, 1.0, {"units_0": 8}, 7, 9, seed=5)
    lineage = replace(LINEAGE, training={**LINEAGE.training, "seed": 5}, members={"trial-003": member})
    metadata = lineage.as_metadata()
    del metadata["lineage"]["members"]["trial-003"]["seed"]
    assert Lineage.from_metadata(metadata) == lineage


def test_a_single_trial_is_the_only_training() -> None:
    lineage = replace(
        LINEAGE, runs={"trial": "e" * 32}, study={"name": "s", "trial_number": 3}, hyperparameters={"units_0": 8},
        training={**LINEAGE.training, "schedule": 4},
    )  # fmt: skip
    assert lineage.trained == {"trial-003": MemberLineage(3, "e" * 32, 1.0, {"units_0": 8}, 3, 4, seed=0)}
    assert Lineage.from_metadata(lineage.as_metadata()) == lineage


@pytest.mark.parametrize("name", ["customers.csv", "scans", "a_name_of_another_version", "https://127.0.0.1:9/a.zip"])
def test_data_that_are_gone_are_named(name: str, tmp_path: Path) -> None:
    gone = str(tmp_path / name) if name in ("customers.csv", "scans") else name
    request = {**DIGITS.request.to_json(), "dataset": gone}
    with pytest.raises((InputError, DataError)) as error:
        load_data(replace(LINEAGE, data={**LINEAGE.data, "request": request}))
    if isinstance(error.value, InputError):
        assert str(error.value).startswith("model_uri must be a model whose data are still where they were")
    assert gone in str(error.value)


def test_the_repository_of_a_surrounding_hook_is_not_this_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = code_version()
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", other], check=True)
    for name, value in {
        "GIT_DIR": f"{other}/.git", "GIT_WORK_TREE": str(other), "GIT_INDEX_FILE": f"{other}/.git/index",
        "GIT_PREFIX": "steps/", "GIT_OBJECT_DIRECTORY": f"{other}/.git/objects", "GIT_CEILING_DIRECTORIES": "/",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert code_version() == own
    assert own["commit"]


def test_nothing_has_changed(clean: None) -> None:
    assert differences(LINEAGE, package_versions(), HARDWARE) == []


def test_each_cause_is_named(clean: None) -> None:
    then = replace(
        LINEAGE,
        training={**LINEAGE.training, "precision": "bfloat16"},
        code={"commit": "0" * 40, "dirty": True},
    )
    now = {**package_versions(), "tensorflow": "9.9", "click": "9.9"}
    found = "\n".join(differences(then, now, {**HARDWARE, "cpu_features": "avx2"}))
    tensorflow = then.packages["tensorflow"]
    assert f"tensorflow {tensorflow} then, 9.9 now" in found
    assert "click" not in found  # it does no arithmetic
    assert "cpu features 'avx2 fma' then, 'avx2' now" in found
    assert "code 000000000000 with changes then" in found
    assert "bfloat16 products" in found


def test_the_commit_and_whether_files_differ_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "project_folder", lambda: tmp_path)
    assert code_version() == {"commit": "", "dirty": None}

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    (tmp_path / "MLproject").write_text("name: t\n")
    git("init", "-q")
    assert code_version() == {"commit": "", "dirty": None}  # in a repository that does not know it
    git("add", ".")
    git("commit", "-qm", "First")
    commit = git("rev-parse", "HEAD").strip()
    assert code_version() == {"commit": commit, "dirty": False}
    (tmp_path / "rows.csv").touch()
    assert code_version() == {"commit": commit, "dirty": False}
    (tmp_path / "MLproject").write_text("name: other\n")
    assert code_version() == {"commit": commit, "dirty": True}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_version() == {"commit": "", "dirty": None}
