"""Claims, with real processes and threads; the clock is moved in the database, not waited for."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from optuna.storages import RDBStorage

from steps.search.claims import _CLAIMS, Claims
from steps.search.heartbeat import GRACE, PROCESSES
from steps.search.storage import open_storage

HOLD = """
import sys, time
from steps.search.claims import Claims
from steps.search.storage import open_storage
claims = Claims(open_storage(sys.argv[1]), "study", "run").__enter__()
assert claims.claim(7)
print("claimed", flush=True)
time.sleep(600)
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/optuna.db"


@pytest.fixture
def storage(url: str) -> Iterator[RDBStorage]:
    storage = open_storage(url)
    yield storage
    storage.engine.dispose()


def seems_of_another_host(storage: RDBStorage, claims: Claims, silent_for: timedelta) -> None:
    with storage.engine.begin() as connection:
        row = PROCESSES.c.worker == claims._worker
        beat = connection.execute(sa.select(PROCESSES.c.beat).where(row)).scalar_one()
        connection.execute(sa.update(PROCESSES).where(row).values(process="elsewhere 1 boot:1", beat=beat - silent_for))


def test_of_many_that_claim_at_once_one_succeeds(storage: RDBStorage) -> None:
    workers = [Claims(storage, "study", f"run{i}").__enter__() for i in range(6)]
    start, taken = threading.Barrier(len(workers)), []

    def claim(worker: Claims) -> None:
        for trial_id in range(10):
            start.wait()
            if worker.claim(trial_id):
                taken.append(trial_id)

    threads = [threading.Thread(target=claim, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(10))
    assert workers[0].live_trials() == set(range(10))
    for worker in workers:
        worker.__exit__()


def test_a_claim_ends_with_its_release_or_its_worker(storage: RDBStorage) -> None:
    with Claims(storage, "study", "run") as ours:
        with Claims(storage, "study", "other") as theirs:
            assert theirs.claim(1)
            assert theirs.claim(2)
            assert theirs.claim(1)  # again: it is its own
            assert not ours.claim(1)
            assert ours.live_tune_runs() == {"run", "other"}
            theirs.release(1)
            assert ours.claim(1)
            assert ours.held_trials() == {1}
        assert ours.claim(2)
        assert ours.live_tune_runs() == {"run"}


def process_that_holds_trial_7(url: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, url], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "claimed\n"
    return process


def test_the_next_process_removes_what_a_killed_one_held(url: str, storage: RDBStorage) -> None:
    with Claims(storage, "study", "ours") as ours:
        assert ours.claim(1)
        process = process_that_holds_trial_7(url)
        process.kill()
        process.communicate()
        with Claims(storage, "other study", "next"), storage.engine.begin() as connection:
            assert connection.execute(sa.select(_CLAIMS.c.subject)).scalars().all() == ["trial 1"]


def test_a_killed_process_loses_its_trial_at_once_to_one_of_many(url: str, storage: RDBStorage) -> None:
    process = process_that_holds_trial_7(url)
    workers = [Claims(storage, "study", f"run{i}").__enter__() for i in range(4)]
    assert not any(worker.claim(7) for worker in workers)
    process.kill()
    process.communicate()
    assert workers[0].live_trials() == set()
    start, taken = threading.Barrier(len(workers)), []

    def claim(worker: Claims) -> None:
        start.wait()
        if worker.claim(7):
            taken.append(worker)

    threads = [threading.Thread(target=claim, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1
    assert [worker.holds(7) for worker in workers].count(True) == 1
    for worker in workers:
        worker.__exit__()


def test_a_worker_of_another_host_is_dead_after_its_grace(storage: RDBStorage) -> None:
    theirs = Claims(storage, "study", "theirs").__enter__()
    with Claims(storage, "study", "ours") as ours:
        assert theirs.claim(1)
        seems_of_another_host(storage, theirs, GRACE - timedelta(seconds=10))
        assert not ours.claim(1)
        seems_of_another_host(storage, theirs, timedelta(seconds=40))
        assert ours.live_trials() == set()
        assert ours.claim(1)
        # It was only asleep: its next heartbeat tells it what it has lost.
        theirs._heartbeat._beaten_at = 1
        assert not theirs.holds(1)
        assert ours.holds(1)
        theirs.release(1)
        assert not theirs.claim(1)
    theirs.__exit__()


def test_turns_are_taken_one_at_a_time(storage: RDBStorage) -> None:
    workers = [Claims(storage, "study", f"run{i}").__enter__() for i in range(3)]
    inside, most = [0], [0]

    def take(worker: Claims) -> None:
        for _ in range(5):
            with worker.turn():
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


def test_one_that_begins_while_another_tidies_up_is_not_forgotten(storage: RDBStorage) -> None:
    with Claims(storage, "study", "first") as first:
        looked = first._heartbeat._look()
        with Claims(storage, "study", "second") as second:
            assert second.claim(1)
            first._heartbeat._look = lambda: looked  # type: ignore[method-assign]
            first._heartbeat._forget_the_dead()
            del first._heartbeat._look
            assert first.live_trials() == {1}
