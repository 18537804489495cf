"""Identity of a process, by which other processes can tell whether it is alive."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil


@dataclass(frozen=True)
class Process:
    """A process, recognizable to others on its host.

    Attributes:
        host: Host name and, on systems that have them, the namespace of process IDs: two containers differ.
        pid: Process ID on that host.
        started: Boot of the machine and seconds from boot to the start of the process, because IDs are reused; "" if
            unknown. Wall-clock time would not do: setting the clock changes the reported start of a running process.
    """

    host: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> Self:
        return cls(_host(), os.getpid(), _started(os.getpid()))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The inverse of `str`; None for an invalid text."""
        host, _, rest = text.partition(" ")
        pid, _, started = rest.partition(" ")
        return cls(host, int(pid), started) if pid.isdecimal() else None

    def __str__(self) -> str:
        return f"{self.host} {self.pid} {self.started}"

    def is_gone(self) -> bool:
        """Return whether the process has certainly ended; False for one on another host or that cannot be inspected."""
        if self.host != _host():
            return False
        try:
            os.kill(self.pid, 0)  # unlike psutil.pid_exists, this finds another user's process even if /proc hides it
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        started = _started(self.pid)
        return "" not in (started, self.started) and started != self.started


def _host() -> str:
    try:
        return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').readlink().name}"
    except OSError:
        return socket.gethostname()


def _started(pid: int) -> str:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return "ended"
        seconds = process.create_time() - psutil.boot_time()
    except (psutil.Error, OSError):
        return ""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:  # not Linux
        boot = ""
    return f"{boot}:{seconds:.2f}"
