"""Progress on the terminal; plain lines where there is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from steps.mlp.objectives import Objective
from steps.report.words import duration

_WORDS = {TrialState.COMPLETE: "done", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


class Display:
    """One line that moves on a terminal; in a pipe, a line for each thing that ended."""

    def __init__(self, total: int) -> None:
        self._console = Console(soft_wrap=True, highlight=False)
        self._progress = Progress(
            BarColumn(bar_width=20), TextColumn("{task.description}"), console=self._console, transient=True,
            disable=not self._console.is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("starting", total=total)
        self._total = total
        self._start = time.monotonic()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def _show(self, done: float, text: str, line: str = "") -> None:
        left = duration((time.monotonic() - self._start) * (self._total - done) / done) if done else "?"
        self._progress.update(self._task, completed=done, description=f"{text}, {left} left")
        if line:
            self._console.print(line, markup=False)


class StudyDisplay(Display):
    """Trials done / pruned / failed, the best value of the first objective so far, and the time left."""

    def __init__(
        self, n_trials: int, max_epochs: int, finished: list[FrozenTrial], objectives: Sequence[Objective]
    ) -> None:
        super().__init__(n_trials - len(finished))
        self._objectives = objectives
        self._max_epochs = max_epochs
        self._counts = dict.fromkeys(_WORDS, 0)
        self._running: dict[int, int] = {}  # trial number -> epochs done
        self._best: float | None = None
        for trial in finished:
            self._count(trial)
        self._n_before = len(finished)
        self._n_trials = n_trials

    def epoch(self, number: int, epoch: int, metrics: object) -> None:
        with self._lock:
            self._running[number] = epoch
            self._show(self._done(), self._text())

    def trial(self, trial: FrozenTrial) -> None:
        with self._lock:
            epochs = self._running.pop(trial.number, 0)
            self._count(trial)
            self._show(
                self._done(),
                self._text(),
                f"trial-{trial.number:03d} {_WORDS[trial.state]:6} after {epochs:2d} epochs, {self._values(trial)}  "
                f"[{self._n_finished()}/{self._n_trials}, best {self._best_text()}]",
            )

    def interruption(self) -> None:
        with self._lock:
            self._console.print("Stopping after the running epochs; Ctrl-C once more stops at once")

    def _count(self, trial: FrozenTrial) -> None:
        self._counts[trial.state] += 1
        if trial.state == TrialState.COMPLETE:
            sign, value = self._objectives[0].sign, trial.values[0]
            self._best = value if self._best is None or sign * value < sign * self._best else self._best

    def _values(self, trial: FrozenTrial) -> str:
        """Each objective of a complete trial; of another one the last that is known of the first."""
        known = trial.values or list(trial.intermediate_values.values())[-1:]
        if not known:
            return f"{self._objectives[0].metric} -"
        return ", ".join(f"{o.metric} {o.text(value)}" for o, value in zip(self._objectives, known, strict=False))

    def _n_finished(self) -> int:
        return sum(self._counts.values())

    def _done(self) -> float:
        return self._n_finished() - self._n_before + sum(self._running.values()) / self._max_epochs

    def _best_text(self) -> str:
        return "-" if self._best is None else self._objectives[0].text(self._best)

    def _text(self) -> str:
        counts = " / ".join(f"{self._counts[state]} {word}" for state, word in _WORDS.items())
        return f"{counts}, best {self._best_text()}"


class TrainingDisplay(Display):
    """Epochs of one training."""

    def epoch(self, epoch: int, loss: float) -> None:
        self._show(epoch, f"epoch {epoch}/{self._total}, loss {loss:.4f}")


class RowsDisplay(Display):
    """Rows predicted, of an input whose size may be counted in something else."""

    def rows(self, position: int, n_rows: int, n_bad: int) -> None:
        self._show(position, f"{n_rows:,} rows" + (f", {n_bad:,} of them bad" if n_bad else ""))
