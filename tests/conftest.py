"""Shared by all tests: each works in an empty folder with its own MLflow store."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
Step = Callable[..., subprocess.CompletedProcess[str]]


def environment(folder: Path, **extra: str) -> dict[str, str]:
    """Environment of a process that works in `folder`, with tracking there and nothing of the tester's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "TUNE_"))}
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        **extra,
    }


@pytest.fixture
def step(tmp_path: Path) -> Step:
    """Runs `python -m steps.<name> <arguments>` in an empty folder."""

    def run(name: str, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", f"steps.{name}", *arguments],
            cwd=tmp_path,
            env=environment(tmp_path, **extra),
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture
def tracking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MLflow in this process tracks to an empty folder, which is returned."""
    import mlflow

    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return tmp_path


@pytest.fixture
def small_disk() -> Iterator[Callable[[int], None]]:
    """Limits the size in bytes of every file that this process writes, as a full disk does, until the test ends."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)
