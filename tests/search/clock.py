"""The clock of a machine that sleeps, for leases whose heartbeat a test controls."""

from __future__ import annotations

import time

NEVER = 1e6  # seconds between two heartbeats: none comes while a test runs


class Clock:
    """This machine's clock; `ahead` seconds after a sleep."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead
