"""The one way in which tests run commands, with an MLflow store of their own, and find the runs that they leave."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.warm import run_warm

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

REPOSITORY = Path(__file__).parents[1]
START_UP = 300.0  # seconds in which a server must answer, on any machine


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


def module(name: str, *arguments: str) -> list[str]:
    """The command `python -m <name> <arguments>`, with this Python."""
    return [sys.executable, "-m", name, *arguments]


def script(code: str, *arguments: str) -> list[str]:
    """The command `python -c <code> <arguments>`, with this Python."""
    return [sys.executable, "-c", code, *arguments]


def run_command(
    command: Sequence[str], folder: Path, *, cwd: Path | None = None, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end.

    Args:
        folder: With its MLflow store.
        cwd: Working directory, if not `folder`.
        extra: Environment variables.
    """
    env = environment(folder, **extra)
    return subprocess.run(command, cwd=cwd or folder, env=env, capture_output=True, text=True)


def start_command(command: Sequence[str], folder: Path, **extra: str) -> subprocess.Popen[str]:
    """Start a command in a process group of its own, with pipes for all that it reads and says."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=folder, env=environment(folder, **extra), stdin=pipe, stdout=pipe, stderr=pipe, text=True,
        start_new_session=True,
    )  # fmt: skip


def run_step(folder: Path, step: str, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m steps.<step> <arguments>`; in an interpreter of its own if it has variables for one."""
    if all(name.startswith(("MLFLOW_", "TUNE_")) for name in extra):
        return run_warm(f"steps.{step}", arguments, folder, environment(folder, **extra))
    return run_command(module(f"steps.{step}", *arguments), folder, **extra)


def start_step(folder: Path, step: str, *arguments: str, **extra: str) -> subprocess.Popen[str]:
    """Start `python -m steps.<step> <arguments>`."""
    return start_command(module(f"steps.{step}", *arguments), folder, **extra)


def run_project(
    folder: Path, entry: str, uri: Path | str = REPOSITORY, manager: str = "local", **parameters: str
) -> subprocess.CompletedProcess[str]:
    """Run `mlflow run <uri> -e <entry>` with parameters."""
    options = [word for name, value in parameters.items() for word in ("-P", f"{name}={value}")]
    return run_command(module("mlflow", "run", str(uri), "-e", entry, "--env-manager", manager, *options), folder)


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    """Standard output of a command that must have succeeded."""
    assert done.returncode == 0, done.stderr
    return done.stdout


def step_runs(client: MlflowClient, step: str) -> list[Run]:
    """All runs of a step, the oldest first."""
    return list(client.search_runs(["0"], f"tags.`pipeline.step` = '{step}'", order_by=["attributes.start_time ASC"]))


def child_runs(client: MlflowClient, run: Run) -> list[Run]:
    """The children of a run by name: the steps of `main`, the trials of `tune`."""
    found = client.search_runs(["0"], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    return sorted(found, key=lambda child: str(child.info.run_name))


def read_to(process: subprocess.Popen[str], text: str) -> str:
    """Read the process's standard output up to the line that contains `text`; returns all that was read."""
    assert process.stdout is not None
    said = ""
    while text not in said:
        line = process.stdout.readline()
        assert line, said + process.communicate()[1]
        said += line
    return said


def copy_project(folder: Path) -> Path:
    """A copy of this project as a fresh clone has it; its files can be changed."""
    ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", "mlruns", "*.db*", ".*_cache")
    return Path(shutil.copytree(REPOSITORY, folder, ignore=ignored))


@contextmanager
def serving(command: Sequence[str], folder: Path, health: str, *, cwd: Path | None = None) -> Iterator[None]:
    """A server that answers inside, and is stopped with all its processes on leaving; its output is in `server.log`.

    Args:
        health: URL that it answers once it is up.
    """
    path = folder / "server.log"
    env = environment(folder, MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")  # ten processes that no test asks for
    with path.open("ab") as log:
        server = subprocess.Popen(command, cwd=cwd or folder, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + START_UP
        while not _answers(health):
            assert server.poll() is None, path.read_text()
            assert time.monotonic() < deadline, f"no answer from {health}\n{path.read_text()}"
            time.sleep(0.2)
        yield
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
