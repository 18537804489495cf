"""Choice of the Python for the environment by `make`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.running import REPOSITORY


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Dry run of `make` in a fresh clone, with the commands in `folder` first on the PATH."""
    (folder / "Makefile").write_bytes((REPOSITORY / "Makefile").read_bytes())
    own = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    path = f"{folder}{os.pathsep}{own['PATH']}"
    return subprocess.run(  # without the variables of the `make test` around this test: it would name its folders
        ["make", "--dry-run", ".venv/bin/uv", *arguments],
        cwd=folder, env={**own, "PATH": path}, capture_output=True, text=True,
    )  # fmt: skip


def put(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_the_newest_python_that_runs_is_taken(tmp_path: Path) -> None:
    put(tmp_path, "python3.13", "echo 'command not found' >&2; exit 127")  # as a version manager's stand-in does
    put(tmp_path, "python3.12", f'exec {sys.executable} "$@"')
    put(tmp_path, "python3.11", f'exec {sys.executable} "$@"')
    assert make(tmp_path).stdout.startswith("python3.12 -m venv .venv\n")


def test_a_named_python_is_taken_before_newer_ones(tmp_path: Path) -> None:
    put(tmp_path, "python3.13", f'exec {sys.executable} "$@"')
    assert make(tmp_path, f"PYTHON={sys.executable}").stdout.startswith(f"{sys.executable} -m venv .venv\n")


def test_without_a_python_that_suits_make_says_so(tmp_path: Path) -> None:
    put(tmp_path, "old", "exit 1")
    done = make(tmp_path, "PYTHON=old")
    assert done.returncode == 2
    assert "PYTHON must be Python 3.11, 3.12 or 3.13 with venv, got old; install one" in done.stderr
    assert done.stderr.count("\n") == 1
