"""The lock of a study: one process, and one of its threads, counts the budget and asks for a trial at a time."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from steps.search.store.storage import retrying

_POLL = 0.05  # seconds


class StudyLock:
    """A lock that all processes of a study share; in PostgreSQL an advisory lock, elsewhere a lease that is polled."""

    def __init__(
        self, engine: sa.Engine, study: uuid.UUID, take: Callable[[str], bool], give_back: Callable[[str], None]
    ) -> None:
        """
        Args:
            take: Takes a lease by its subject; False if a living process has it.
            give_back: Gives a lease back.
        """
        self._engine, self._study, self._take, self._give_back = engine, study, take, give_back
        self._thread_lock = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the lock, and hold it in the block."""
        with self._thread_lock, self._advisory() if self._engine.dialect.name == "postgresql" else self._polled():
            yield

    @contextmanager
    def _polled(self) -> Iterator[None]:
        subject = f"lock {self._study.hex}"
        while not self._take(subject):
            time.sleep(_POLL)
        try:
            yield
        finally:
            self._give_back(subject)

    @contextmanager
    def _advisory(self) -> Iterator[None]:
        """An advisory lock: its queue costs no polling, and it ends with its connection."""
        connection = self._locked(self._study.int % 2**63)
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
