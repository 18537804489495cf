"""Progress bar on standard error for long operations, if it is a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress(what: str, total: int | None, *, is_bytes: bool = False) -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs; nothing if standard error is not a terminal.

    Args:
        what: Label of the bar, one or two words.
        total: Total number of steps, if known.
        is_bytes: Whether steps are bytes.

    Yields:
        A function to call with the number of steps done since the last call.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn() if is_bytes else MofNCompleteColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda steps: bar.advance(task, steps)
