from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from steps.tracking import fingerprint as module
from steps.tracking.fingerprint import MADE_BY, code_digest, fingerprint
from steps.tracking.project import PACKAGE


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project whose code a test may change."""
    copy = shutil.copytree(PACKAGE, tmp_path / "steps", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PACKAGE.parent / "conda.yaml", tmp_path)
    monkeypatch.setattr(module, "PACKAGE", copy)
    monkeypatch.setattr(module, "project_folder", lambda: tmp_path)
    return copy


def test_the_table_names_what_exists() -> None:
    assert [name for made_by in MADE_BY.values() for name in made_by if not (PACKAGE / name).exists()] == []


@pytest.mark.parametrize(
    ("changed", "steps"),
    [
        ("datasets/split.py", {"download", "tune", "evaluate"}),
        ("mlp/trainer.py", {"tune", "evaluate"}),
        ("tasks/__init__.py", {"tune", "evaluate"}),
        ("search/trials/workers.py", {"tune"}),
        ("evaluation/refit.py", {"evaluate"}),
        ("tracking/promotion.py", {"evaluate"}),
        ("../conda.yaml", {"download", "tune", "evaluate"}),
        ("report/page.css", set()),
        ("report/charts/chart.py", set()),
        ("report/terminal.py", set()),
        ("report/data/page.html.jinja", set()),
        ("cli/options.py", set()),
        ("tracking/descriptions.py", set()),
        ("base/errors.py", set()),
        ("flows/tune.py", set()),
        ("tune.py", set()),
    ],
)
def test_a_changed_line_counts_for_the_steps_whose_result_it_makes(
    changed: str, steps: set[str], package: Path
) -> None:
    before = {step: fingerprint(step, {}) for step in MADE_BY}
    with (package / changed).open("a") as file:
        file.write("# changed\n")
    assert {step for step, old in before.items() if fingerprint(step, {}) != old} == steps


def test_a_new_file_of_a_room_counts_and_byte_code_does_not(package: Path) -> None:
    before = code_digest("tune")
    for name in ("__pycache__/trainer.cpython-311.pyc", ".trainer.py.swp", ".ipynb_checkpoints/trainer.py"):
        (package / "mlp" / name).parent.mkdir(exist_ok=True)
        (package / "mlp" / name).write_text("changed")
    assert code_digest("tune") == before
    (package / "mlp" / "head.py").write_text("")
    assert code_digest("tune") != before


def test_parameters_and_inputs_count_as_text() -> None:
    same = fingerprint("tune", {"n_trials": 5}, ["a"])
    assert fingerprint("tune", {"n_trials": "5"}, ["a"]) == same
    assert fingerprint("tune", {"n_trials": 6}, ["a"]) != same
    assert fingerprint("tune", {"n_trials": 5}, ["b"]) != same
