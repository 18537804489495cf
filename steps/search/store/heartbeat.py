"""The processes that run trials of a study, and a heartbeat in the study's database that shows them alive."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from steps.search.store.storage import first_line, retrying
from steps.tracking.process import Process

logger = logging.getLogger(__name__)

HEARTBEAT = 5.0  # seconds
GRACE = timedelta(seconds=30)  # without a heartbeat, after which a process on another host counts as dead
METADATA = sa.MetaData()
PROCESSES = sa.Table(
    "tune_processes",
    METADATA,
    sa.Column("worker", sa.String(32), primary_key=True),
    sa.Column("study", sa.String(512), nullable=False),
    sa.Column("tune_run_id", sa.String(64), nullable=False),
    sa.Column("owner", sa.Boolean, nullable=False),
    sa.Column("process", sa.String(512), nullable=False),
    sa.Column("beat", sa.DateTime, nullable=False),  # by the clock of the database
)


class Member(NamedTuple):
    """A living process; the owner is the step `tune` itself, the others have joined its run."""

    worker: str
    tune_run_id: str
    owner: bool


class Heartbeat:
    """The heartbeat of this process; all methods may be called from any thread.

    Attributes:
        worker: Name of this process among those of the database, drawn anew for each.
        abandoned: Set when this process has joined a tune run whose owner has ended or died.
    """

    def __init__(
        self,
        engine: sa.Engine,
        study: str,
        tune_run_id: str,
        *,
        owner: bool,
        after_beat: Callable[[sa.Connection], Callable[[], None]],
        interval: float = HEARTBEAT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """
        Args:
            owner: Whether this process is the step `tune`, not one that joins it.
            after_beat: Called in the transaction of each beat; returns a function to be called after the commit.
            interval: Seconds between two beats.
            clock: Seconds by this machine's clock, which unlike a monotonic one goes on while it sleeps.
        """
        self._engine, self._study, self._tune_run_id, self._owner = engine, study, tune_run_id, owner
        self._after_beat, self._interval, self._clock = after_beat, interval, clock
        self.worker = uuid.uuid4().hex
        self.abandoned = threading.Event()
        self._beaten_at = 0.0
        self._away_until = 0.0
        self._has_left = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._create_tables()
        self.beat()
        self._forget_the_dead()
        self._look_for_owner()
        self._thread.start()

    def stop(self) -> None:
        self._has_left = True
        self._stop.set()
        self._thread.join()

    def is_fresh(self) -> bool:
        """Return whether the others still take this process for alive, or it has left them."""
        return self._has_left or self._clock() - self._beaten_at < GRACE.total_seconds() / 2

    @retrying
    def beat(self) -> None:
        sent = self._clock()
        with self._engine.begin() as connection:
            now = _now(connection)
            mine = PROCESSES.c.worker == self.worker
            if connection.execute(sa.update(PROCESSES).where(mine).values(beat=now)).rowcount == 0:
                row = {"study": self._study, "tune_run_id": self._tune_run_id, "owner": self._owner}
                row["process"] = str(Process.current())
                connection.execute(sa.insert(PROCESSES).values(worker=self.worker, beat=now, **row))
            committed = self._after_beat(connection)
        committed()
        if self._beaten_at and not self.is_fresh():
            self._away_until = self._clock() + GRACE.total_seconds()
        self._beaten_at = sent

    def live(self) -> list[Member]:
        """Each process whose heart beats and that is not known to be gone, this one too.

        A process that was away itself (the database or the network was) cannot tell who died meanwhile:
        for a while it counts the silent ones as alive, and they can come back.
        """
        return [member for member, alive in self._look() if alive]

    @retrying
    def _look(self) -> list[tuple[Member, bool]]:
        with self._engine.begin() as connection:
            rows = connection.execute(sa.select(PROCESSES, sa.func.now().label("now"))).all()
        back = self._clock() < self._away_until
        found = []
        for row in rows:
            process = Process.parse(row.process)
            alive = (back or _utc(row.now) - row.beat <= GRACE) and not (process and process.is_gone())
            found.append((Member(row.worker, row.tune_run_id, row.owner), alive))
        return found

    def leave(self, connection: sa.Connection) -> None:
        connection.execute(sa.delete(PROCESSES).where(PROCESSES.c.worker == self.worker))

    @retrying
    def _forget_the_dead(self) -> None:
        """Leases of processes that are not listed count as those of dead ones, so the list need not grow."""
        dead = [member.worker for member, alive in self._look() if not alive]  # by name: others come in this moment
        with self._engine.begin() as connection:
            connection.execute(sa.delete(PROCESSES).where(PROCESSES.c.worker.in_(dead)))

    def _beat_on(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self.beat()
                self._look_for_owner()
            except DBAPIError as error:  # the trials meet the same and say so
                logger.warning("No heartbeat: %s", first_line(error))

    def _look_for_owner(self) -> None:
        if not self._owner and not any(m.owner and m.tune_run_id == self._tune_run_id for m in self.live()):
            self.abandoned.set()

    @retrying
    def _create_tables(self) -> None:
        try:
            METADATA.create_all(self._engine)
        except DBAPIError:  # another process made them in the same moment
            METADATA.create_all(self._engine)


def _now(connection: sa.Connection) -> datetime:
    return _utc(connection.execute(sa.select(sa.func.now())).scalar_one())


def _utc(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
