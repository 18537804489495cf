"""A process in a network of its own that can be cut off; if the machine allows none, one that can be paused."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_SUBNET = "10.213.7"
HOST = f"{_SUBNET}.1"  # of this machine, as the process sees it


class NetworkNamespace:
    """A network namespace joined to this machine by one cable."""

    prefix: Sequence[str] = ("ip", "netns", "exec", "tune-branch")

    def cut(self, process: subprocess.Popen[str]) -> None:
        _ip("link", "set", "tune-cable", "down")

    def restore(self, process: subprocess.Popen[str]) -> None:
        _ip("link", "set", "tune-cable", "up")


class PausedProcess:
    """No network, but all that the others notice of a cut: silence, and a process that comes back."""

    prefix: Sequence[str] = ()

    def cut(self, process: subprocess.Popen[str]) -> None:
        os.killpg(process.pid, signal.SIGSTOP)

    def restore(self, process: subprocess.Popen[str]) -> None:
        os.killpg(process.pid, signal.SIGCONT)


@contextmanager
def far_away() -> Iterator[tuple[str, NetworkNamespace | PausedProcess]]:
    """(address that servers must listen on, what runs and cuts the process)."""
    try:
        _ip("netns", "add", "tune-branch")
    except (OSError, subprocess.CalledProcessError):  # no such program, or not allowed
        yield "127.0.0.1", PausedProcess()
        return
    try:
        _ip("link", "add", "tune-cable", "type", "veth", "peer", "name", "tune-end", "netns", "tune-branch")
        _ip("addr", "add", f"{HOST}/24", "dev", "tune-cable")
        _ip("link", "set", "tune-cable", "up")
        for words in (f"addr add {_SUBNET}.2/24 dev tune-end", "link set tune-end up", "link set lo up"):
            _ip("-n", "tune-branch", *words.split())
        yield HOST, NetworkNamespace()
    finally:
        _ip("netns", "delete", "tune-branch")  # and with it both ends of the cable


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
