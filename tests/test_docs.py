"""The commands of the guides, run as they stand there, on digits and with small numbers."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, environment

# The registry guide has its own test: its commands build on each other.
GUIDES = sorted(
    path
    for path in (REPOSITORY / "docs").glob("*.md")
    if path.name != "registry.md" and "```bash" in path.read_text()  # the rest only reports measurements
)
SMALL = {"tune": {"n_trials": "3", "max_epochs": "2", "n_jobs": "2"}, "evaluate": {"final_epochs": "2"}}
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def blocks(guide: Path, language: str) -> list[str]:
    return [text for found, text in _BLOCK.findall(guide.read_text()) if found == language]


def commands(guide: Path) -> list[str]:
    return [line for block in blocks(guide, "bash") for line in block.splitlines() if line.strip()]


def small(command: str) -> list[str]:
    """The words of a command, with budgets made small and this environment."""
    words = shlex.split(command)
    if words[:2] != ["mlflow", "run"]:
        return words
    entry = words[words.index("-e") + 1]
    for name, value in SMALL.get(entry, {}).items():
        words = [word for word in words if not word.startswith(f"{name}=")]
        words = [w for i, w in enumerate(words) if not (w == "-P" and (i + 1 == len(words) or words[i + 1] == "-P"))]
        words += ["-P", f"{name}={value}"]
    return [*words, "--env-manager", "local"]


@pytest.mark.slow
@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_every_command_runs(guide: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", "data", "mlruns", "*.db*", ".*_cache")
    shutil.copytree(REPOSITORY, project, ignore=ignored)
    for text in blocks(guide, "yaml"):
        if name := re.match(r"# (\S+\.yaml)\n", text):
            (project / name[1]).write_text(text)
    env = environment(tmp_path, PYTHONPATH=str(project))
    subprocess.run([sys.executable, "-m", "steps.download", "--dataset", "digits"], cwd=project, env=env, check=True)
    found = commands(guide)
    assert found
    for command in found:
        result = subprocess.run(small(command), cwd=project, env=env, capture_output=True, text=True)
        assert result.returncode == 0, f"{command}\n{result.stderr}"


def test_commands_are_made_small() -> None:
    words = small("mlflow run . -e tune -P n_trials=100 -P pruner=hyperband:reduction_factor=3")
    assert words[2:7] == [".", "-e", "tune", "-P", "pruner=hyperband:reduction_factor=3"]
    assert words[7:9] == ["-P", "n_trials=3"]


@pytest.mark.slow
def test_the_strategies_are_compared(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.strategies", "--seeds", "2", "--trials", "3"]
    figure = tmp_path / "images" / "strategies.png"
    result = subprocess.run(
        [*command, "--figure", str(figure)], cwd=REPOSITORY, env=environment(tmp_path), capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    rows = [line.split("|")[1:-1] for line in result.stdout.splitlines() if line.startswith("|")][2:]
    assert [row[0].strip() for row in rows] == ["grid", "random", "Bayesian (tpe)"]
    assert all(float(row[1]) >= float(row[2]) for row in rows)  # the best so far only gets better
    assert figure.stat().st_size > 10_000
