"""Garbage collection between trials: a traced graph is a cycle of objects, and memory would grow with the trials."""

from __future__ import annotations

import gc
import time

_INTERVAL = 1.0  # seconds between two collections: each looks at all that the trials of the study left behind


class GcBetweenTrials:
    """Collects the garbage of trials; objects from before them are frozen, as looking through those takes 30 ms."""

    def __init__(self) -> None:
        gc.collect()
        gc.freeze()
        self._collected_at = time.monotonic()

    def collect(self) -> None:
        """Collect, if that was not done a moment ago."""
        if time.monotonic() - self._collected_at >= _INTERVAL:
            gc.collect()
            self._collected_at = time.monotonic()
