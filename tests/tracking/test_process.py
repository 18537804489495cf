from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from steps.tracking.process import Process
from tests.running import read_to, script, start_command

CHILD = "import time; from steps.tracking.process import Process; print(Process.current(), flush=True); time.sleep(600)"


def test_this_process_lives_and_can_be_written_down() -> None:
    process = Process.current()
    assert process.pid == os.getpid()
    assert not process.is_gone()
    assert Process.parse(str(process)) == process
    assert Process.parse("") is None
    assert Process.parse("host x y") is None


def test_a_killed_process_is_gone_before_and_after_it_is_reaped(tmp_path: Path) -> None:
    child = start_command(script(CHILD), tmp_path)
    process = Process.parse(read_to(child, "\n").rstrip("\n"))
    assert process is not None
    assert not process.is_gone()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the table
    assert process.is_gone()
    child.communicate()
    assert process.is_gone()


def test_an_id_given_again_is_another_process() -> None:
    assert replace(Process.current(), started="boot:1").is_gone()


def test_a_process_that_cannot_be_inspected_is_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process.current()
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))  # a /proc that hides every process, as hidepid=2 does
    assert Process.current().started == ""
    for seen in (process, Process.current()):
        assert not seen.is_gone()
    monkeypatch.undo()
    assert not replace(process, started="").is_gone()


@pytest.fixture
def foreign() -> Iterator[int]:
    """ID of a live process that this one may not signal."""
    if os.geteuid() != 0:
        yield 1
        return
    with subprocess.Popen(["sleep", "600"], user=65534) as child:
        os.seteuid(65533)
        try:
            yield child.pid
        finally:
            os.seteuid(0)
            child.kill()


@pytest.mark.parametrize("procfs", ["/proc", "/nowhere"])
def test_a_live_process_of_another_user_is_alive(foreign: int, procfs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "PROCFS_PATH", procfs)
    with pytest.raises(PermissionError):
        os.kill(foreign, 0)
    assert not replace(Process.current(), pid=foreign, started="").is_gone()
    if procfs == "/nowhere":
        assert not replace(Process.current(), pid=foreign, started="boot:1").is_gone()


def test_nothing_is_known_of_another_host() -> None:
    assert not Process("elsewhere", 1, "").is_gone()
