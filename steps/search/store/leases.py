"""Which process runs which trial: leases in the study's database, held by a heartbeat.

Optuna's own heartbeat fails a stale trial and copies it into a new one. Here a trial keeps its number and
its child run: a process that finds its lease in dead hands takes it over, by a statement of which the
database lets exactly one succeed.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from steps.search.store.heartbeat import METADATA, PROCESSES, Heartbeat
from steps.search.store.storage import RetryingStorage, retrying

_POLL = 0.05  # seconds
_CLAIMS = sa.Table(
    "tune_claims",
    METADATA,
    sa.Column("subject", sa.String(64), primary_key=True),
    sa.Column("worker", sa.String(32), nullable=False),
)


class Leases:
    """The leases of one process that runs trials of one study; a context manager.

    All methods may be called from any thread.

    Attributes:
        abandoned: Set when this process has joined a tune run whose owner has ended or died.
    """

    def __init__(self, storage: RetryingStorage, study: str, tune_run_id: str, *, owner: bool = True) -> None:
        """
        Args:
            owner: Whether this process is the step `tune`, not one that joins its run.
        """
        self.storage = storage
        self._engine, self._study = storage.engine, study
        self._held: set[str] = set()
        self._lost: set[str] = set()
        self._turn, self._lock = threading.Lock(), threading.Lock()
        self._heartbeat = Heartbeat(self._engine, study, tune_run_id, owner=owner, after_beat=self._compare)
        self._worker, self.abandoned = self._heartbeat.worker, self._heartbeat.abandoned

    def __enter__(self) -> Leases:
        self._heartbeat.start()
        self._sweep()
        self.storage.may_end = lambda trial_id: not self.lost(trial_id)
        return self

    def __exit__(self, *_: object) -> None:
        self.withdraw()

    def acquire(self, trial_id: int) -> bool:
        """Take a trial that nobody alive has; False where someone has it."""
        return self._claim(f"trial {trial_id}")

    def release(self, trial_id: int) -> None:
        """Give a trial back, ended or to be continued by someone else."""
        self._release(f"trial {trial_id}")

    def holds(self, trial_id: int) -> bool:
        """Whether the trial is still this process's: one that was away too long may have lost it.

        Asks the database only where the last heartbeat is not fresh.
        """
        self._refresh()
        return f"trial {trial_id}" in self._held

    def lost(self, trial_id: int) -> bool:
        """Whether another process took the trial over while this one was away; one it gave back is not lost.

        Where that cannot be asked it counts as lost: what is not written now is made up for by the next start.
        """
        try:
            self._refresh()
        except DBAPIError:
            return True
        return f"trial {trial_id}" in self._lost

    @retrying
    def live_trials(self) -> set[int]:
        """IDs of the trials that a living process of any study in this database holds."""
        live = {member.worker for member in self._heartbeat.live()}
        with self._engine.begin() as connection:
            leases = connection.execute(sa.select(_CLAIMS.c.subject, _CLAIMS.c.worker)).all()
        return _trials(subject for subject, worker in leases if worker in live)

    def held_trials(self) -> set[int]:
        """IDs of the trials that this process holds."""
        with self._lock:
            return _trials(iter(self._held))

    def live_tune_runs(self) -> set[str]:
        """IDs of the tune runs that a living process belongs to, this one's too."""
        return {member.tune_run_id for member in self._heartbeat.live()}

    def is_alone(self, tune_runs: Collection[str]) -> bool:
        """Whether no other living process belongs to any of these tune runs."""
        others = (member for member in self._heartbeat.live() if member.worker != self._worker)
        return not any(member.tune_run_id in tune_runs for member in others)

    def withdraw(self) -> None:
        """End this process's heartbeat, so that those who have joined its tune run put their trials back and leave."""
        self._heartbeat.stop()
        self._leave()

    @contextmanager
    def study_lock(self) -> Iterator[None]:
        """One process of the study at a time: the budget is counted and trials are asked here."""
        take = self._postgresql_turn if self._engine.dialect.name == "postgresql" else self._claimed_turn
        with self._turn, take(uuid.uuid5(uuid.NAMESPACE_OID, self._study)):
            yield

    @contextmanager
    def _claimed_turn(self, study: uuid.UUID) -> Iterator[None]:
        subject = f"turn {study.hex}"
        while not self._claim(subject):
            time.sleep(_POLL)
        try:
            yield
        finally:
            self._release(subject)

    @contextmanager
    def _postgresql_turn(self, study: uuid.UUID) -> Iterator[None]:
        """An advisory lock, whose queue costs no polling and which ends with its connection."""
        connection = self._locked(study.int % 2**63)
        try:
            yield
        finally:
            with suppress(DBAPIError):  # then the lock went with the connection
                connection.close()

    @retrying
    def _locked(self, key: int) -> sa.Connection:
        connection = self._engine.connect()
        try:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        except DBAPIError:
            connection.close()
            raise
        return connection

    def _claim(self, subject: str) -> bool:
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
                connection.execute(sa.insert(_CLAIMS).values(subject=subject, worker=self._worker))
        except IntegrityError:
            return False
        return True

    @retrying
    def _take_over(self, subject: str) -> bool:
        """Replace the holder if it is dead; of several processes that try, the database lets one."""
        with self._engine.begin() as connection:
            holder = connection.execute(sa.select(_CLAIMS.c.worker).where(_CLAIMS.c.subject == subject)).scalar()
        if holder == self._worker:
            return True
        if holder is None or holder in {member.worker for member in self._heartbeat.live()}:
            return False
        with self._engine.begin() as connection:
            theirs = (_CLAIMS.c.subject == subject) & (_CLAIMS.c.worker == holder)
            taken = connection.execute(sa.update(_CLAIMS).where(theirs).values(worker=self._worker))
        return bool(taken.rowcount == 1)

    @retrying
    def _release(self, subject: str) -> None:
        with self._lock:
            self._held.discard(subject)
        with self._engine.begin() as connection:
            mine = (_CLAIMS.c.subject == subject) & (_CLAIMS.c.worker == self._worker)
            connection.execute(sa.delete(_CLAIMS).where(mine))

    def _refresh(self) -> None:
        if not self._heartbeat.is_fresh():
            self._heartbeat.beat()

    def _compare(self, connection: sa.Connection) -> Callable[[], None]:
        """After a heartbeat: what others have taken over is lost."""
        with self._lock:
            before = set(self._held)
        kept = set(connection.execute(sa.select(_CLAIMS.c.subject).where(_CLAIMS.c.worker == self._worker)).scalars())

        def lose() -> None:
            with self._lock:
                lost = (before - kept) & self._held
                self._held -= lost
                self._lost |= lost

        return lose

    @retrying
    def _sweep(self) -> None:
        """Remove the leases of the forgotten: a trial that had ended when its process died is claimed by nobody."""
        with self._engine.begin() as connection:
            listed = sa.select(PROCESSES.c.worker)
            connection.execute(sa.delete(_CLAIMS).where(_CLAIMS.c.worker.not_in(listed)))

    @retrying
    def _leave(self) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_CLAIMS).where(_CLAIMS.c.worker == self._worker))
            self._heartbeat.leave(connection)


def _trials(subjects: Iterator[str]) -> set[int]:
    return {int(subject.split()[1]) for subject in subjects if subject.startswith("trial")}
