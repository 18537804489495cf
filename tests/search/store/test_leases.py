"""Leases, with real processes and threads; the clock is moved in the database, not waited for."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from steps.search.store.heartbeat import GRACE, PROCESSES
from steps.search.store.leases import LEASES, Leases
from steps.search.store.storage import RetryingStorage
from steps.search.store.url import open_storage
from tests.running import read_to, script, start_command
from tests.search.clock import NEVER, Clock

HOLD = """
import sys, time
from steps.search.store.leases import Leases
from steps.search.store.url import open_storage
leases = Leases(open_storage(sys.argv[1]), "study", "run").__enter__()
assert leases.acquire(7)
print("leased", flush=True)
time.sleep(600)
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/optuna.db"


@pytest.fixture
def storage(url: str) -> Iterator[RetryingStorage]:
    storage = open_storage(url)
    yield storage
    storage.engine.dispose()


def seems_of_another_host(storage: RetryingStorage, leases: Leases, silent_for: timedelta) -> None:
    with storage.engine.begin() as connection:
        row = PROCESSES.c.worker == leases.worker
        beat = connection.execute(sa.select(PROCESSES.c.beat).where(row)).scalar_one()
        connection.execute(sa.update(PROCESSES).where(row).values(process="elsewhere 1 boot:1", beat=beat - silent_for))


def test_of_many_that_ask_for_a_trial_at_once_one_gets_it(storage: RetryingStorage) -> None:
    workers = [Leases(storage, "study", f"run{i}").__enter__() for i in range(6)]
    start, taken = threading.Barrier(len(workers)), []

    def acquire(worker: Leases) -> None:
        for number in range(10):
            start.wait()
            if worker.acquire(number):
                taken.append(number)

    threads = [threading.Thread(target=acquire, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(10))
    assert workers[0].live_trials() == set(range(10))
    for worker in workers:
        worker.__exit__()


def test_a_lease_ends_with_its_release_or_its_worker(storage: RetryingStorage) -> None:
    with Leases(storage, "study", "run") as ours:
        with Leases(storage, "study", "other") as theirs:
            assert theirs.acquire(1)
            assert theirs.acquire(2)
            assert theirs.acquire(1)  # again: it is its own
            assert not ours.acquire(1)
            assert ours.live_tune_runs() == {"run", "other"}
            theirs.release(1)
            assert ours.acquire(1)
            assert ours.held_trials() == {1}
        assert ours.acquire(2)
        assert ours.live_tune_runs() == {"run"}


def process_that_holds_trial_7(url: str, folder: Path) -> subprocess.Popen[str]:
    process = start_command(script(HOLD, url), folder)
    read_to(process, "leased")
    return process


def test_the_next_process_removes_what_a_killed_one_held(url: str, tmp_path: Path, storage: RetryingStorage) -> None:
    with Leases(storage, "study", "ours") as ours:
        assert ours.acquire(1)
        process = process_that_holds_trial_7(url, tmp_path)
        process.kill()
        process.communicate()
        with Leases(storage, "other study", "next") as other, storage.engine.begin() as connection:
            assert connection.execute(sa.select(LEASES.c.worker)).scalars().all() == [ours.worker]
            assert other.live_trials() == set()  # trials of the same number in two studies are two
        assert ours.live_trials() == {1}


def test_a_killed_process_loses_its_trial_at_once_to_one_of_many(
    url: str, tmp_path: Path, storage: RetryingStorage
) -> None:
    process = process_that_holds_trial_7(url, tmp_path)
    workers = [Leases(storage, "study", f"run{i}").__enter__() for i in range(4)]
    assert not any(worker.acquire(7) for worker in workers)
    process.kill()
    process.communicate()
    assert workers[0].live_trials() == set()
    start, taken = threading.Barrier(len(workers)), []

    def acquire(worker: Leases) -> None:
        start.wait()
        if worker.acquire(7):
            taken.append(worker)

    threads = [threading.Thread(target=acquire, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1
    assert [worker.holds(7) for worker in workers].count(True) == 1
    for worker in workers:
        worker.__exit__()


def test_a_worker_of_another_host_is_dead_after_its_grace(storage: RetryingStorage) -> None:
    clock = Clock()
    theirs = Leases(storage, "study", "theirs", interval=NEVER, clock=clock).__enter__()
    with Leases(storage, "study", "ours") as ours:
        assert theirs.acquire(1)
        seems_of_another_host(storage, theirs, GRACE - timedelta(seconds=10))
        assert not ours.acquire(1)
        seems_of_another_host(storage, theirs, timedelta(seconds=40))
        assert ours.live_trials() == set()
        assert ours.acquire(1)
        # It was only asleep: its next heartbeat tells it what it has lost.
        clock.ahead = 3600
        assert not theirs.holds(1)
        assert ours.holds(1)
        theirs.release(1)
        assert not theirs.acquire(1)
    theirs.__exit__()


def test_the_study_lock_is_held_by_one_at_a_time(storage: RetryingStorage) -> None:
    workers = [Leases(storage, "study", f"run{i}").__enter__() for i in range(3)]
    inside, most = [0], [0]

    def take(worker: Leases) -> None:
        for _ in range(5):
            with worker.study_lock():
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=take, args=(worker,)) for worker in workers for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    for worker in workers:
        worker.__exit__()


@pytest.mark.parametrize("moment", [1, 2])
def test_one_that_begins_while_another_tidies_up_is_not_forgotten(storage: RetryingStorage, moment: int) -> None:
    """The first one looks at its clock when it beats and when it looks for the dead: then the second one begins."""
    second = Leases(storage, "study", "second", interval=NEVER)
    moments = iter(range(1, 100))

    def clock() -> float:
        if next(moments) == moment:
            second.__enter__()
            assert second.acquire(1)
        return time.time()

    with Leases(storage, "study", "first", interval=NEVER, clock=clock) as first:
        assert first.live_trials() == {1}
        assert second.holds(1)
    second.__exit__()
