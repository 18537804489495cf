"""The exclusive section: trials train side by side, but a latency measurement runs alone in its process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ExclusiveSection:
    """Any number of threads train, or one measures; a measurement has priority.

    A trial enters `training` for each epoch, so a measurement waits for one epoch at most. Other
    processes on the same machine are not held.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._n_training = 0
        self._n_waiting = 0
        self._measuring = False

    @contextmanager
    def training(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._measuring and not self._n_waiting)
            self._n_training += 1
        try:
            yield
        finally:
            with self._changed:
                self._n_training -= 1
                self._changed.notify_all()

    @contextmanager
    def measuring(self) -> Iterator[None]:
        with self._changed:
            self._n_waiting += 1
            self._changed.wait_for(lambda: not self._measuring and not self._n_training)
            self._n_waiting -= 1
            self._measuring = True
        try:
            yield
        finally:
            with self._changed:
                self._measuring = False
                self._changed.notify_all()
