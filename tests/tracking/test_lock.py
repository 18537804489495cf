from __future__ import annotations

import threading
from pathlib import Path

from steps.tracking.lock import registry_lock
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
