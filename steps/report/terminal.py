"""Progress on the terminal or as plain lines in a pipe, and the final summary."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from optuna.trial import FrozenTrial, TrialState
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column, Table
from rich.text import Text

from steps.report.format import duration
from steps.tasks.objectives import Objective

_WORDS = {TrialState.COMPLETE: "done", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
_MAX_RUNNING = 8  # running trials with a separate line
_PIPE_WIDTH = 100  # width of a table in a pipe


def _line(text: str) -> Text:
    """One line, truncated at the width of the terminal."""
    return Text(text, no_wrap=True, overflow="ellipsis")


class _Progress(Progress):
    """A progress bar with lines below it."""

    def __init__(self, below: Callable[[], list[Text]], console: Console) -> None:
        column = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis"))
        self._below = below
        super().__init__(
            BarColumn(bar_width=20), column, console=console, transient=True, disable=not console.is_terminal
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        yield from self._below()


class Display:
    """A live bar on a terminal, with lines below it; in a pipe, a line for each finished item."""

    def __init__(self, total: int, console: Console | None = None) -> None:
        self._console = console or Console(soft_wrap=True, highlight=False)
        self._total = total
        self._start = time.monotonic()
        self._lock = threading.Lock()
        self._progress = _Progress(self._below, self._console)
        self._task = self._progress.add_task("starting", total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def _below(self) -> list[Text]:
        return []

    def _show(self, done: float, text: str) -> None:
        left = duration((time.monotonic() - self._start) * (self._total - done) / done) if done else "?"
        self._progress.update(self._task, completed=done, description=f"{text}, {left} left")


class StudyDisplay(Display):
    """Running trials with epoch and value, counts of finished ones by state, the best so far and the time left.

    For finished trials, a terminal keeps a line for each new best and each failure, a pipe for every one.
    """

    def __init__(
        self,
        n_trials: int,
        max_epochs: int,
        finished: list[FrozenTrial],
        objectives: Sequence[Objective],
        followed: Objective,
        console: Console | None = None,
    ) -> None:
        self._objectives = objectives
        self._followed = followed
        self._max_epochs = max_epochs
        self._counts = dict.fromkeys(_WORDS, 0)
        self._running: dict[int, tuple[int, float]] = {}  # trial number -> finished epochs, value
        self._best: float | None = None
        for trial in finished:
            self._count(trial)
        self._n_before = len(finished)
        self._n_trials = n_trials
        super().__init__(n_trials - len(finished), console)

    def epoch(self, number: int, epoch: int, metrics: Mapping[str, float]) -> None:
        with self._lock:
            self._running[number] = (epoch, metrics[self._followed.key])
            self._show(self._done(), self._text())

    def trial(self, trial: FrozenTrial) -> None:
        with self._lock:
            seen, *_ = self._running.pop(trial.number, (0, 0.0))  # those of other processes may be incomplete
            epochs = max(seen, *trial.intermediate_values, 0)
            is_best = self._count(trial)
            self._show(self._done(), self._text())
            self._progress.refresh()  # otherwise the line below would briefly appear above the running trial
            standing = f"  [{self._n_finished()}/{self._n_trials}, best {self._best_text()}]"  # as in the bar
            if is_best or trial.state == TrialState.FAIL or not self._console.is_terminal:
                self._console.print(
                    f"trial-{trial.number:03d} {_WORDS[trial.state]:6} after {epochs:2d} epochs, {self._values(trial)}"
                    + standing * (not self._console.is_terminal),
                    markup=False,
                    style="bold" if is_best else None,
                )

    def interruption(self) -> None:
        with self._lock:
            self._console.print("Stopping after the running epochs; Ctrl-C once more stops at once")

    def _count(self, trial: FrozenTrial) -> bool:
        """Count a finished trial; returns whether it is the best so far."""
        self._counts[trial.state] += 1
        if trial.state != TrialState.COMPLETE:
            return False
        sign, value = self._objectives[0].sign, trial.values[0]
        is_best = self._best is None or sign * value < sign * self._best
        self._best = value if is_best else self._best
        return is_best

    def _values(self, trial: FrozenTrial) -> str:
        """All objectives of a complete trial; the last known value of the first one for others."""
        known = trial.values or list(trial.intermediate_values.values())[-1:]
        if not known:
            return f"{self._objectives[0].key} -"
        return ", ".join(f"{o.key} {o.text(value)}" for o, value in zip(self._objectives, known, strict=False))

    def _n_finished(self) -> int:
        return sum(self._counts.values())

    def _done(self) -> float:
        epochs = sum(epoch for epoch, *_ in self._running.values())
        return self._n_finished() - self._n_before + epochs / self._max_epochs

    def _best_text(self) -> str:
        return "-" if self._best is None else self._objectives[0].text(self._best)

    def _text(self) -> str:
        return f"{self._n_finished()}/{self._n_trials} trials, best {self._best_text()}"

    def _below(self) -> list[Text]:
        counts = ", ".join(f"{self._counts[state]} {word}" for state, word in _WORDS.items())
        running = sorted(self._running.items())
        lines = [self._running_line(number, *standing) for number, standing in running[:_MAX_RUNNING]]
        more = len(running) - _MAX_RUNNING
        return [_line(counts), *lines, *([_line(f"and {more} more")] if more > 0 else [])]

    def _running_line(self, number: int, epoch: int, value: float) -> Text:
        text = f"trial-{number:03d}  epoch {epoch:{len(str(self._max_epochs))}d}/{self._max_epochs}"
        return _line(f"{text}  {self._followed.key} {self._followed.text(value)}")


class TrainingDisplay(Display):
    """Epochs of one training, or of several side by side."""

    _done = 0

    def epoch(self, loss: float) -> None:
        """Count one more epoch, and show its loss."""
        with self._lock:
            self._done += 1
            self._show(self._done, f"epoch {self._done}/{self._total}, loss {loss:.4f}")


class RowsDisplay(Display):
    """Predicted rows of an input whose size may have another unit."""

    def rows(self, position: int, n_rows: int, n_bad: int) -> None:
        self._show(position, f"{n_rows:,} rows" + (f", {n_bad:,} of them bad" if n_bad else ""))


def print_table(rows: Sequence[tuple[str, str, str]], console: Console | None = None) -> None:
    """A table of (step, run, result); long results wrap inside their column."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("step", no_wrap=True)
    table.add_column("run", no_wrap=True)
    table.add_column("result", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
