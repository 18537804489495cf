from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from steps.tracking import fingerprint as module
from steps.tracking.fingerprint import code_of, fingerprint
from steps.tracking.project import PACKAGE


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project whose code a test may change."""
    copy = shutil.copytree(PACKAGE, tmp_path / "steps", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PACKAGE.parent / "conda.yaml", tmp_path)
    monkeypatch.setattr(module, "PACKAGE", copy)
    monkeypatch.setattr(module, "project_folder", lambda: tmp_path)
    return copy


def test_each_step_counts_the_code_it_runs() -> None:
    def rooms(step: str) -> set[str]:
        return {path.relative_to(PACKAGE).as_posix() for path in code_of(step)}

    assert {"datasets/idx.py", "tracking/runs.py", "options.py"} <= rooms("download")
    assert not any(name.startswith(("mlp/", "search/")) for name in rooms("download"))
    assert {"mlp/trainer.py", "mlp/augmentation.py", "search/trial.py", "search/space.py"} <= rooms("tune")
    assert {"mlp/trainer.py", "tracking/registry.py"} <= rooms("evaluate")
    assert "search/trial.py" not in rooms("evaluate")


@pytest.mark.parametrize(
    ("changed", "steps"),
    [
        ("datasets/idx.py", {"download", "tune", "evaluate"}),
        ("mlp/trainer.py", {"tune", "evaluate"}),
        ("search/workers.py", {"tune"}),
        ("report/evaluation_figures.py", {"evaluate"}),
        ("registry.py", set()),
        ("../conda.yaml", {"download", "tune", "evaluate"}),
    ],
)
def test_one_line_of_code_changes_the_steps_that_run_it(changed: str, steps: set[str], package: Path) -> None:
    before = {step: fingerprint(step, {}) for step in ("download", "tune", "evaluate")}
    with (package / changed).open("a") as file:
        file.write("# changed\n")
    assert {step for step, old in before.items() if fingerprint(step, {}) != old} == steps


def test_parameters_and_inputs_count_as_text() -> None:
    same = fingerprint("tune", {"n_trials": 5}, ["a"])
    assert fingerprint("tune", {"n_trials": "5"}, ["a"]) == same
    assert fingerprint("tune", {"n_trials": 6}, ["a"]) != same
    assert fingerprint("tune", {"n_trials": 5}, ["b"]) != same
