"""The commands of the guides, run as they stand there, on digits and with small numbers."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.postgresql import free_port
from tests.running import REPOSITORY, copy_project, module, run_command, serving, succeeded

README = REPOSITORY / "README.md"
# The registry guide has its own test: its commands build on each other.
GUIDES = sorted(
    path
    for path in [README, *(REPOSITORY / "docs").glob("*.md")]
    if path.name != "registry.md" and "```bash" in path.read_text()  # the rest only reports measurements
)
DIGITS = {"dataset": "digits", "n_trials": "3", "max_epochs": "2", "final_epochs": "2"}
SMALL = {"main": DIGITS, "tune": {"n_trials": "3", "max_epochs": "2", "n_jobs": "2"}, "evaluate": {"final_epochs": "2"}}
# What stands inside a line of text: what runs it, or why nothing does.
INLINE = {
    "make main": "README.md, here",
    'make main ARGS="-P n_trials=5"': "README.md, here, with other ARGS",
    "make lint": "CI",
    "make PYTHON=…": "tests/test_makefile.py",
    "make ui": "test_make_ui",
    "mlflow ui": "tests/test_look.py",
    "python -m steps.tune --help": "README.md, here",
    "python -m benchmarks.at_once": "test_trainings_at_once_are_timed",
    "python -m benchmarks.recording": "test_a_recording_goes_on",
    "python -m benchmarks.searches": "test_searches_are_replayed",
    "python -m benchmarks.promotion": "test_searches_are_replayed",
    "python -m benchmarks.samplers": "test_searches_are_replayed",
    "python -m benchmarks.strategies": "test_the_strategies_are_compared",
    "python -m benchmarks.ablation": "test_a_measurement_runs",
    'make main ARGS="-P points=elastic.yaml -P n_trials=1 -P final_epochs=800"': "nothing: most of an hour",
    "python -m benchmarks.pruners": "test_a_measurement_runs",
    "python -m benchmarks.small_data": "test_a_measurement_runs",
    "python -m benchmarks.start": "test_a_measurement_runs",
    "python -m benchmarks.refit": "test_a_measurement_runs",
    "python -m benchmarks.speed": "nothing: its rivals are no dependencies of the tests, and it takes an hour",
    "make bench": "nothing: its rivals are no dependencies of the tests, and it takes an hour",
    "python -m benchmarks.overhead": "nothing: three minutes, and its classes are those of tests/scale/test_budget.py",
    "python -m benchmarks.tables": "nothing: its rivals are no dependencies of the tests, and it takes hours",
    "python -m benchmarks.table_ablation": "test_a_measurement_runs",
    "python -m benchmarks.scale": "nothing: eight minutes; tests/scale/test_budget.py runs its stubs",
    "make cluster": "tests/deploy/test_cluster.py",
    "make cluster ARGS=--secure": "tests/scale/test_secure.py, the same cluster",
    "pip install .": "README.md, here",
    "python -m steps.tune": "tests/test_search.py",
    "pip install torch greenlet": "nothing: 200 MB for one sampler",
}
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
_INLINE = re.compile(r"`((?:make|mlflow|python|pip) [^`]+)`")


def blocks(guide: Path, language: str) -> list[str]:
    return [text for found, text in _BLOCK.findall(guide.read_text()) if found == language]


def commands(guide: Path) -> list[str]:
    return [line for block in blocks(guide, "bash") for line in block.splitlines() if line.strip()]


def small(command: str, folder: Path) -> list[str]:
    """The words of a command, with budgets made small, this environment, and what it installs in a folder."""
    words = shlex.split(command, comments=True)
    if words == ["make", "main"]:
        return make("main", "runtime", " ".join(f"-P {name}={value}" for name, value in DIGITS.items()))
    if words == ["make", "test"]:
        return make("test", "dev", "--numprocesses 1 tests/tracking/test_descriptions.py")
    if words[:2] == ["pip", "install"]:
        return [sys.executable, "-m", *words, "--quiet", "--no-deps", "--target", str(folder / "installed")]
    if words[:2] != ["mlflow", "run"]:
        return words
    entry = words[words.index("-e") + 1]
    for name, value in SMALL.get(entry, {}).items():
        if name == "dataset" and any(word.startswith("target=") for word in words):
            continue  # a table that the guide has made
        words = [word for word in words if not word.startswith(f"{name}=")]
        words = [w for i, w in enumerate(words) if not (w == "-P" and (i + 1 == len(words) or words[i + 1][0] == "-"))]
        words += ["-P", f"{name}={value}"]
    return words if "--env-manager" in words else [*words, "--env-manager", "local"]


def make(target: str, environment: str, arguments: str) -> list[str]:
    """A target of the Makefile in the environment of this test, whose installation is taken for done."""
    return ["make", f"--assume-old=.venv/{environment}", target, f"ARGS={arguments}"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, with this environment."""
    copy = copy_project(tmp_path / "project")
    (copy / ".venv").symlink_to(sys.prefix)
    return copy


@pytest.mark.slow
@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_every_command_runs(guide: Path, project: Path, tmp_path: Path) -> None:
    for text in blocks(guide, "yaml"):
        if name := re.match(r"# (\S+\.yaml)\n", text):
            (project / name[1]).write_text(text)

    def run(command: list[str]) -> subprocess.CompletedProcess[str]:
        return run_command(command, tmp_path, cwd=project, PYTHONPATH=str(project))

    if guide != README:  # which begins with data of its own
        succeeded(run(module("steps.download", "--dataset", "digits")))
    found = commands(guide)
    assert found
    for command in found:
        result = run(small(command, tmp_path))
        assert result.returncode == 0, f"{command}\n{result.stdout[-2000:]}\n{result.stderr}"


def test_pictures_are_small_shown_and_described() -> None:
    shown = set()
    for guide in [README, *(REPOSITORY / "docs").glob("*.md")]:
        for text, path in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", guide.read_text()):
            assert len(text.split()) > 5, f"{guide.name}: {path} wants a text for who cannot see it"
            shown.add((guide.parent / path).resolve())
    assert shown == set((REPOSITORY / "docs" / "images").iterdir())
    assert max(path.stat().st_size for path in shown) < 300_000


def test_each_command_in_the_text_is_accounted_for() -> None:
    guides = [README, *(REPOSITORY / "docs").glob("*.md")]
    found = {command for guide in guides for command in _INLINE.findall(guide.read_text())} - {"mlflow run"}
    assert found == set(INLINE)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        "benchmarks.ablation --dataset digits --epochs 1",
        "benchmarks.table_ablation --only wine",
        "benchmarks.pruners --dataset digits --configs 3 --draws 2",
        "benchmarks.small_data --n-trials 2 --max-epochs 3",
        "benchmarks.start --repeats 1",
        "benchmarks.refit --only wine",
    ],
)
def test_a_measurement_runs(arguments: str, tmp_path: Path) -> None:
    said = succeeded(run_command(module(*arguments.split()), tmp_path))
    header, _, *rows = [line for line in said.splitlines() if line.startswith("|")]
    assert len(rows) >= 3
    assert {row.count("|") for row in rows} == {header.count("|")}


@pytest.mark.slow
def test_trainings_at_once_are_timed(tmp_path: Path) -> None:
    said = succeeded(run_command(module("benchmarks.at_once", "--at-once", "1,2", "--epochs", "1"), tmp_path))
    rows = [line.split("|")[1:-1] for line in said.splitlines() if line.startswith("|")]
    assert [row[0].strip() for row in rows[2:]] == ["MNIST", "MNIST, first epoch", "table", "table, first epoch"]
    assert {len(row) for row in rows} == {3}


@pytest.mark.slow
def test_a_recording_goes_on(tmp_path: Path) -> None:
    recording = ("benchmarks.recording", "--only", "breast_cancer", "--file", str(tmp_path / "rows.jsonl.gz"), "--n")
    assert succeeded(run_command(module(*recording, "1"), tmp_path)) == "5 rows\n"  # one of each seed
    assert succeeded(run_command(module(*recording, "2"), tmp_path)) == "6 rows\n"


@pytest.mark.parametrize("arguments", ["benchmarks.searches", "benchmarks.promotion", "benchmarks.samplers --show"])
def test_searches_are_replayed(arguments: str, tmp_path: Path) -> None:
    said = succeeded(run_command(module(*arguments.split()), tmp_path))
    rows = [line for line in said.splitlines() if line.startswith("|")]
    guide = (REPOSITORY / "docs" / "search.md").read_text().splitlines()
    assert len(rows) >= 10
    assert [row for row in rows if row not in guide] == []


@pytest.mark.slow
def test_make_ui(project: Path, tmp_path: Path) -> None:
    port = free_port()
    command = make("ui", "runtime", f"--port {port} --workers 1")
    with serving(command, tmp_path, f"http://127.0.0.1:{port}/health", cwd=project):
        pass


def test_commands_are_made_small() -> None:
    words = small("mlflow run . -e tune -P n_trials=100 -P pruner=hyperband:reduction_factor=3", Path())
    assert words[2:7] == [".", "-e", "tune", "-P", "pruner=hyperband:reduction_factor=3"]
    assert words[7:9] == ["-P", "n_trials=3"]


@pytest.mark.slow
def test_the_strategies_are_compared(tmp_path: Path) -> None:
    figure = tmp_path / "images" / "strategies.png"
    command = module("benchmarks.strategies", "--seeds", "2", "--trials", "3", "--figure", str(figure))
    said = succeeded(run_command(command, tmp_path))
    rows = [line.split("|")[1:-1] for line in said.splitlines() if line.startswith("|")][2:]
    assert [row[0].strip() for row in rows] == ["grid", "random", "Bayesian (tpe)"]
    assert all(float(row[1]) >= float(row[2]) for row in rows)  # the best so far only gets better
    assert figure.stat().st_size > 10_000
