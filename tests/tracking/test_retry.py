from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.running import read_to, script, start_command

_HOLD = """
import sqlite3
connection = sqlite3.connect("mlflow.db", isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
input()
"""
_ASK = """
import mlflow
from steps.tracking.retry import wait_for_locks
wait_for_locks()
print("asking", flush=True)
mlflow.MlflowClient().create_run("0")
"""
_MLFLOW_GIVES_UP = 9.0  # seconds


@pytest.mark.slow
def test_a_step_waits_for_a_locked_database_from_its_first_request(tracking: Path) -> None:
    holder = start_command(script(_HOLD), tracking)
    read_to(holder, "held")
    asking = start_command(script(_ASK), tracking)
    read_to(asking, "asking")
    time.sleep(2 * _MLFLOW_GIVES_UP)
    assert asking.poll() is None
    holder.communicate("\n")
    _, stderr = asking.communicate()
    assert asking.returncode == 0, stderr
