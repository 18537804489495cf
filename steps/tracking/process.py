"""Which process does something, so that another one can tell whether it still lives."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Process:
    """A process as others on its host can recognize it.

    Attributes:
        host: Host name and, where there are such, the name space of process IDs: two containers differ.
        pid: Process ID on that host.
        started: Boot of the machine and clock ticks from it to the start, as IDs are given again; "" where unknown.
    """

    host: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> Self:
        return cls(_host(), os.getpid(), _started(os.getpid()))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The inverse of `str`; None for a text that is none."""
        host, _, rest = text.partition(" ")
        pid, _, started = rest.partition(" ")
        return cls(host, int(pid), started) if pid.isdecimal() else None

    def __str__(self) -> str:
        return f"{self.host} {self.pid} {self.started}"

    def is_gone(self) -> bool:
        """Whether it is known to have ended; of another host's process nothing is known."""
        if self.host != _host():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return self.started != _started(self.pid)


def _host() -> str:
    try:
        return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').readlink().name}"
    except OSError:
        return socket.gethostname()


def _started(pid: int) -> str:
    try:
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    return "" if ticks[0] == "Z" else f"{boot}:{ticks[19]}"
