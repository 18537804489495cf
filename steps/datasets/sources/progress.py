"""A bar on standard error for what takes long, if a person watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress(what: str, total: int | None, *, is_bytes: bool = False) -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs; nothing where standard error is no terminal.

    Args:
        what: What is done, in one or two words.
        total: Number of all steps, if it is known.
        is_bytes: Whether a step is a byte.

    Yields:
        A function that takes the number of further steps done.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn() if is_bytes else MofNCompleteColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda steps: bar.advance(task, steps)
