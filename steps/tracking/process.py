"""The identity of a process, by which another one can tell whether it is still alive."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil


@dataclass(frozen=True)
class Process:
    """A process as others on its host can recognize it.

    Attributes:
        host: Host name and, on systems that have them, the namespace of process IDs: two containers differ.
        pid: Process ID on that host.
        started: Boot of the machine and seconds from it to the start, because IDs are reused; "" if unknown. Wall-clock
            time would not do: setting the clock changes the start that a running process reports.
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
        """Whether it is known to have ended: not of a process on another host, nor of one that cannot be inspected."""
        if self.host != _host():
            return False
        try:
            os.kill(self.pid, 0)  # finds another user's process even if /proc hides it; psutil.pid_exists does not
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
