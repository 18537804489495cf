"""The standard streams: open, and able to take any text."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper


def repair_streams() -> None:
    """Make standard streams safe to use, whatever they are connected to.

    One that is closed (`2>&-`) is connected to nothing: otherwise the next file that is opened, a database say, would
    get its number and everything that a library writes there. A character that a stream cannot encode is escaped.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, this one
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # one that a test puts in its place takes any text
            stream.reconfigure(errors="backslashreplace")
