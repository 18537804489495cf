"""Which worker runs which trial: claims in the study's database, held by a heartbeat.

Optuna's own heartbeat fails a stale trial and copies it into a new one. Here a trial keeps its number and
its child run: a worker that finds its claim in dead hands takes it over, by a statement of which the
database lets exactly one worker succeed.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from steps.search.database import PatientStorage, first_line, patiently
from steps.tracking.process import Process

logger = logging.getLogger(__name__)

HEARTBEAT = 10.0  # seconds
GRACE = timedelta(seconds=60)  # without a heartbeat, after which a worker on another host counts as dead
_POLL = 0.05  # seconds

_METADATA = sa.MetaData()
_WORKERS = sa.Table(
    "tune_workers",
    _METADATA,
    sa.Column("worker", sa.String(32), primary_key=True),
    sa.Column("study", sa.String(512), nullable=False),
    sa.Column("tune_run_id", sa.String(64), nullable=False),
    sa.Column("process", sa.String(512), nullable=False),
    sa.Column("beat", sa.DateTime, nullable=False),  # by the clock of the database
)
_CLAIMS = sa.Table(
    "tune_claims",
    _METADATA,
    sa.Column("subject", sa.String(64), primary_key=True),
    sa.Column("worker", sa.String(32), nullable=False),
)


class Claims:
    """The claims of one worker, a process that runs trials of one study; a context manager.

    All methods may be called from any thread.
    """

    def __init__(self, storage: PatientStorage, study: str, tune_run_id: str) -> None:
        self.storage = storage
        self._engine = storage.engine
        self._study, self._tune_run_id = study, tune_run_id
        self._worker = uuid.uuid4().hex
        self._held: set[str] = set()
        self._beaten_at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="heartbeat", daemon=True)
        self._turn, self._lock = threading.Lock(), threading.Lock()

    def __enter__(self) -> Claims:
        _create_tables(self._engine)
        self._beat()
        self._forget_the_dead()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._leave()

    def claim(self, trial_id: int) -> bool:
        """Take a trial that nobody alive has; False where someone has it."""
        return self._claim(f"trial {trial_id}")

    def release(self, trial_id: int) -> None:
        """Give a trial back, ended or to be continued by someone else."""
        self._release(f"trial {trial_id}")

    def holds(self, trial_id: int) -> bool:
        """Whether the trial is still this worker's: one that was away too long may have lost it.

        Asks the database only where the last heartbeat is not fresh.
        """
        if time.time() - self._beaten_at > GRACE.total_seconds() / 2:
            self._beat()
        return f"trial {trial_id}" in self._held

    @patiently
    def live_trials(self) -> set[int]:
        """IDs of the trials that a living worker of any study in this database holds."""
        live = {worker for worker, _ in self._live()}
        with self._engine.begin() as connection:
            claims = connection.execute(sa.select(_CLAIMS.c.subject, _CLAIMS.c.worker)).all()
        return {int(subject.split()[1]) for subject, worker in claims if worker in live and subject.startswith("trial")}

    def held_trials(self) -> set[int]:
        """IDs of the trials that this worker holds."""
        with self._lock:
            return {int(subject.split()[1]) for subject in self._held if subject.startswith("trial")}

    def live_tune_runs(self) -> set[str]:
        """IDs of the tune runs that a living worker belongs to, this one's too."""
        return {run_id for _, run_id in self._live()}

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One worker of the study at a time, also across processes: the budget is counted and trials are asked here."""
        subject = f"turn {uuid.uuid5(uuid.NAMESPACE_OID, self._study).hex}"
        with self._turn:
            while not self._claim(subject):
                time.sleep(_POLL)
            try:
                yield
            finally:
                self._release(subject)

    def _claim(self, subject: str) -> bool:
        taken = self._insert(subject) or self._take_over(subject)
        if taken:
            with self._lock:
                self._held.add(subject)
        return taken

    @patiently
    def _insert(self, subject: str) -> bool:
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(_CLAIMS).values(subject=subject, worker=self._worker))
        except IntegrityError:
            return False
        return True

    @patiently
    def _take_over(self, subject: str) -> bool:
        """Replace the holder if it is dead; of several workers that try, the database lets one."""
        with self._engine.begin() as connection:
            holder = connection.execute(sa.select(_CLAIMS.c.worker).where(_CLAIMS.c.subject == subject)).scalar()
        if holder == self._worker:
            return True
        if holder is None or holder in {worker for worker, _ in self._live()}:
            return False
        with self._engine.begin() as connection:
            theirs = (_CLAIMS.c.subject == subject) & (_CLAIMS.c.worker == holder)
            taken = connection.execute(sa.update(_CLAIMS).where(theirs).values(worker=self._worker))
        return bool(taken.rowcount == 1)

    @patiently
    def _release(self, subject: str) -> None:
        with self._lock:
            self._held.discard(subject)
        with self._engine.begin() as connection:
            mine = (_CLAIMS.c.subject == subject) & (_CLAIMS.c.worker == self._worker)
            connection.execute(sa.delete(_CLAIMS).where(mine))

    @patiently
    def _live(self) -> list[tuple[str, str]]:
        """(worker, tune run ID) of each worker whose heart beats and whose process is not known to be gone."""
        with self._engine.begin() as connection:
            now = _now(connection)
            rows = connection.execute(sa.select(_WORKERS)).all()
        live = []
        for row in rows:
            process = Process.parse(row.process)
            if now - row.beat <= GRACE and not (process and process.is_gone()):
                live.append((row.worker, row.tune_run_id))
        return live

    @patiently
    def _beat(self) -> None:
        with self._lock:
            before = set(self._held)
        with self._engine.begin() as connection:
            now = _now(connection)
            mine = _WORKERS.c.worker == self._worker
            if connection.execute(sa.update(_WORKERS).where(mine).values(beat=now)).rowcount == 0:
                row = {"study": self._study, "tune_run_id": self._tune_run_id, "process": str(Process.current())}
                connection.execute(sa.insert(_WORKERS).values(worker=self._worker, beat=now, **row))
            claims = connection.execute(sa.select(_CLAIMS.c.subject).where(_CLAIMS.c.worker == self._worker)).scalars()
            kept = set(claims)
        with self._lock:
            self._held -= before - kept
        self._beaten_at = time.time()

    @patiently
    def _forget_the_dead(self) -> None:
        """A claim whose worker is not listed is a dead one's, so the list need not grow."""
        live = [worker for worker, _ in self._live()]
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_WORKERS).where(_WORKERS.c.worker.not_in(live)))

    @patiently
    def _leave(self) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_CLAIMS).where(_CLAIMS.c.worker == self._worker))
            connection.execute(sa.delete(_WORKERS).where(_WORKERS.c.worker == self._worker))

    def _beat_on(self) -> None:
        while not self._stop.wait(HEARTBEAT):
            try:
                self._beat()
            except DBAPIError as error:  # the trials meet the same and say so
                logger.warning("No heartbeat: %s", first_line(error))


@patiently
def _create_tables(engine: sa.Engine) -> None:
    try:
        _METADATA.create_all(engine)
    except DBAPIError:  # another worker made them in the same moment
        _METADATA.create_all(engine)


def _now(connection: sa.Connection) -> datetime:
    now: datetime = connection.execute(sa.select(sa.func.now())).scalar_one()
    return now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
