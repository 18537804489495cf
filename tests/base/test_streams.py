"""Standard streams that are closed, full, or of another encoding."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import environment

SAY = """
import os, sys
from steps.base.streams import repair_streams
repair_streams()
print("ü → 日本 \\udce4")
print("ü → 日本 \\udce4", file=sys.stderr)
sys.stdin.read()
with open("first.txt", "w") as file:
    os.write(int(sys.argv[1]), b"of a library")
sys.stdout.flush()
"""


def run(folder: Path, redirection: str, descriptor: int, **extra: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", SAY, str(descriptor)]
    shell = ["bash", "-c", f'"$@" {redirection}', "bash", *command]
    return subprocess.run(shell, cwd=folder, env=environment(folder, **extra), capture_output=True, input=b"")


@pytest.mark.parametrize("redirection", ["2>&-", ">&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_swallows_what_it_gets_and_no_file_takes_its_place(redirection: str, tmp_path: Path) -> None:
    for descriptor in (1, 2):
        done = run(tmp_path, redirection, descriptor)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "first.txt").read_text() == ""


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("latin-1", "ü \\u2192 \\u65e5\\u672c \\udce4"),
        ("ascii", "\\xfc \\u2192 \\u65e5\\u672c \\udce4"),
        ("cp1252", "ü \\u2192 \\u65e5\\u672c \\udce4"),
        ("utf-8", "ü → 日本 \\udce4"),
    ],
)
def test_what_an_encoding_does_not_have_is_escaped(encoding: str, said: str, tmp_path: Path) -> None:
    done = run(tmp_path, "", 1, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout.decode(encoding)
    assert said in done.stderr.decode(encoding)
