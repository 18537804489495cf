from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from steps.tracking.process import Process

CHILD = "import time; from steps.tracking.process import Process; print(Process.current(), flush=True); time.sleep(600)"


def test_this_process_lives_and_can_be_written_down() -> None:
    process = Process.current()
    assert process.pid == os.getpid()
    assert not process.is_gone()
    assert Process.parse(str(process)) == process
    assert Process.parse("") is None
    assert Process.parse("host x y") is None


def test_a_killed_process_is_gone_before_and_after_it_is_reaped() -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    process = Process.parse(child.stdout.readline().rstrip("\n"))
    assert process is not None
    assert not process.is_gone()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the table
    assert process.is_gone()
    child.communicate()
    assert process.is_gone()


def test_an_id_given_again_is_another_process() -> None:
    assert replace(Process.current(), started="boot:1").is_gone()


def test_nothing_is_known_of_another_host() -> None:
    assert not Process("elsewhere", 1, "").is_gone()
