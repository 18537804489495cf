from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from steps.base.errors import StepError
from steps.tracking.lock import file_lock, registry_lock
from tests.running import read_to, script, start_command

_HOLDER = """
from steps.tracking.lock import registry_lock

with registry_lock("m"):
    print("held", flush=True)
    input()
"""


def test_a_killed_holder_leaves_the_lock_free_and_others_wait(tracking: Path) -> None:
    holder = start_command(script(_HOLDER), tracking)
    read_to(holder, "held")
    got = threading.Event()

    def wait() -> None:
        with registry_lock("m"):
            got.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    with registry_lock("another model"):  # is not in the way
        assert not got.wait(0.5)
    holder.kill()
    holder.communicate()
    waiting.join()
    assert got.is_set()


def test_one_model_has_one_lock_wherever_the_process_works(tracking: Path) -> None:
    with registry_lock("m"):
        pass
    assert len(list(tracking.glob(".registry-*.lock"))) == 1


def test_a_lock_that_cannot_be_held_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder.lock").mkdir()
    (tmp_path / "text.lock").write_text("not a database, " * 1000)
    for name in ("folder", "text"):
        path = tmp_path / f"{name}.lock"
        with pytest.raises(StepError, match=f"^the lock {path} cannot be held: "), file_lock(path):
            pass


def test_an_error_in_the_block_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError), file_lock(tmp_path / "a.lock"):
        raise sqlite3.OperationalError
    with file_lock(tmp_path / "a.lock"):  # it is free again
        pass
