"""Leases of processes on the trials that they run, in the study's database, kept alive by a heartbeat.

Optuna's own heartbeat fails a stale trial and copies it into a new one. Here a trial keeps its number and its child
run: a process that finds the lease of a dead one takes it over, by a statement that the database lets exactly one
process succeed with.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from steps.search.store.heartbeat import HEARTBEAT, METADATA, PROCESSES, Heartbeat
from steps.search.store.storage import RetryingStorage, retrying
from steps.search.store.study_lock import StudyLock

LEASES = sa.Table(
    "tune_leases",
    METADATA,
    sa.Column("subject", sa.String(64), primary_key=True),
    sa.Column("worker", sa.String(32), nullable=False),
)


class Leases:
    """The leases of one process that runs trials of one study, by trial number; a context manager.

    All methods may be called from any thread.

    Attributes:
        worker: Name of this process among those of the database.
        abandoned: Set when this process has joined a tune run whose owner has ended or died.
    """

    def __init__(
        self,
        storage: RetryingStorage,
        study: str,
        tune_run_id: str,
        *,
        owner: bool = True,
        interval: float = HEARTBEAT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """
        Args:
            study: Name of the study.
            owner: Whether this process is the step `tune`, not one that joins its run.
            interval: Seconds between two heartbeats.
            clock: Seconds by this machine's clock.
        """
        self.storage, self._engine = storage, storage.engine
        study_key = uuid.uuid5(uuid.NAMESPACE_OID, study)  # of a length that fits
        self._prefix = f"trial {study_key.hex} "
        self._held: set[str] = set()
        self._lost: set[str] = set()
        self._lock = threading.Lock()
        self._study_lock = StudyLock(self._engine, study_key, self._take, self._give_back)
        self._heartbeat = Heartbeat(
            self._engine, study, tune_run_id, owner=owner, after_beat=self._compare, interval=interval, clock=clock
        )
        self.worker, self.abandoned = self._heartbeat.worker, self._heartbeat.abandoned

    def __enter__(self) -> Leases:
        self._heartbeat.start()
        self._sweep()
        self.storage.may_end = lambda number: not self.lost(number)
        return self

    def __exit__(self, *_: object) -> None:
        self.withdraw()

    def acquire(self, number: int) -> bool:
        """Lease a trial unless a living process has it."""
        return self._take(f"{self._prefix}{number}")

    def release(self, number: int) -> None:
        """Give a trial back, ended or to be continued by another process."""
        self._give_back(f"{self._prefix}{number}")

    def holds(self, number: int) -> bool:
        """Return whether the trial is still this process's: one that was away too long may have lost it.

        Asks the database only if the last heartbeat is not fresh.
        """
        self._refresh()
        return f"{self._prefix}{number}" in self._held

    def lost(self, number: int) -> bool:
        """Return whether another process took the trial over while this one was away; one it gave back is not lost.

        If the database does not answer it counts as lost: the next start writes anything that is missing.
        """
        try:
            self._refresh()
        except DBAPIError:
            return True
        return f"{self._prefix}{number}" in self._lost

    @retrying
    def live_trials(self) -> set[int]:
        """Numbers of the study's trials that a living process holds."""
        live = {member.worker for member in self._heartbeat.live()}
        with self._engine.begin() as connection:
            leases = connection.execute(sa.select(LEASES.c.subject, LEASES.c.worker)).all()
        return self._numbers(subject for subject, worker in leases if worker in live)

    def held_trials(self) -> set[int]:
        """Numbers of the trials that this process holds."""
        with self._lock:
            return self._numbers(self._held)

    def live_tune_runs(self) -> set[str]:
        """IDs of the tune runs that a living process belongs to, this one's too."""
        return {member.tune_run_id for member in self._heartbeat.live()}

    def is_alone(self, tune_runs: Collection[str]) -> bool:
        """Return whether no other living process belongs to any of these tune runs."""
        others = (member for member in self._heartbeat.live() if member.worker != self.worker)
        return not any(member.tune_run_id in tune_runs for member in others)

    def withdraw(self) -> None:
        """End this process's heartbeat, so the processes that joined its run put their trials back and leave."""
        self._heartbeat.stop()
        self._leave()

    def study_lock(self) -> AbstractContextManager[None]:
        """One process of the study at a time: the budget is counted and trials are asked for here."""
        return self._study_lock.held()

    def _take(self, subject: str) -> bool:
        taken = self._insert(subject) or self._take_over(subject)
        if taken:
            with self._lock:
                self._held.add(subject)
                self._lost.discard(subject)
        return taken

    @retrying
    def _insert(self, subject: str) -> bool:
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(LEASES).values(subject=subject, worker=self.worker))
        except IntegrityError:
            return False
        return True

    @retrying
    def _take_over(self, subject: str) -> bool:
        """Replace the holder if it is dead; of several processes that try, the database lets one."""
        with self._engine.begin() as connection:
            holder = connection.execute(sa.select(LEASES.c.worker).where(LEASES.c.subject == subject)).scalar()
        if holder == self.worker:
            return True
        if holder is None or holder in {member.worker for member in self._heartbeat.live()}:
            return False
        with self._engine.begin() as connection:
            theirs = (LEASES.c.subject == subject) & (LEASES.c.worker == holder)
            taken = connection.execute(sa.update(LEASES).where(theirs).values(worker=self.worker))
        return bool(taken.rowcount == 1)

    @retrying
    def _give_back(self, subject: str) -> None:
        with self._lock:
            self._held.discard(subject)
        with self._engine.begin() as connection:
            mine = (LEASES.c.subject == subject) & (LEASES.c.worker == self.worker)
            connection.execute(sa.delete(LEASES).where(mine))

    def _refresh(self) -> None:
        if not self._heartbeat.is_fresh():
            self._heartbeat.beat()

    def _compare(self, connection: sa.Connection) -> Callable[[], None]:
        """After a heartbeat: leases that others have taken over are lost."""
        with self._lock:
            before = set(self._held)
        kept = set(connection.execute(sa.select(LEASES.c.subject).where(LEASES.c.worker == self.worker)).scalars())

        def lose() -> None:
            with self._lock:
                lost = (before - kept) & self._held
                self._held -= lost
                self._lost |= lost

        return lose

    @retrying
    def _sweep(self) -> None:
        """Remove the leases of processes that are listed no more: nobody takes over a trial that had ended."""
        with self._engine.begin() as connection:
            listed = sa.select(PROCESSES.c.worker)
            connection.execute(sa.delete(LEASES).where(LEASES.c.worker.not_in(listed)))

    @retrying
    def _leave(self) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.delete(LEASES).where(LEASES.c.worker == self.worker))
            self._heartbeat.leave(connection)

    def _numbers(self, subjects: Iterable[str]) -> set[int]:
        return {int(subject.removeprefix(self._prefix)) for subject in subjects if subject.startswith(self._prefix)}
