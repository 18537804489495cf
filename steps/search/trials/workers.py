"""The threads that run the trials of a study."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from steps.search.strategy.grid import Grid
from steps.search.strategy.stopping import StopRule
from steps.search.trials.context import Job, WorkerContext
from steps.search.trials.garbage import GcBetweenTrials
from steps.search.trials.training import Lost
from steps.search.trials.trial import prepare, put_back, run_trial
from steps.search.trials.watch import Display

_POLL = 1.0  # seconds between two looks at the trials of other processes


@dataclass(frozen=True)
class Limits:
    """The limits at which a study ends.

    Attributes:
        n_trials: Of the whole study; a failed trial counts.
        timeout: Seconds from now after which no trial is started, and running ones on tables end after their epoch.
        stop_when: Rule that ends the study early.
        grid: The cells that are run, and nothing else.
    """

    n_trials: int
    timeout: float = math.inf
    stop_when: StopRule | None = None
    grid: Grid | None = None


class Workers:
    """Runs trials in `n_jobs` threads until a limit is reached.

    If other processes run the last trials, these threads wait: they continue the trials of a process that dies.

    Attributes:
        stopped_by: The first reason to end the study: n_trials, timeout, grid or the name of a rule; empty before.
    """

    def __init__(
        self,
        worker: WorkerContext,
        limits: Limits,
        display: Display,
        n_jobs: int,
        *,
        on_idle: Callable[[], None] = lambda: None,
        stop: threading.Event | None = None,
    ) -> None:
        """
        Args:
            on_idle: Called by each thread that finds no more trials, while others may still run theirs.
            stop: Set from outside to put the running trials back after their epoch and end.
        """
        self._worker, self._limits, self._display, self._n_jobs = worker, limits, display, n_jobs
        self._deadline = time.monotonic() + limits.timeout
        self._on_idle = on_idle
        self.stopped_by = ""
        self._stop = stop or threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        """Run to the end.

        Raises:
            KeyboardInterrupt: After the running trials have been put back at the end of their epoch; at once
                when it comes a second time.
            Exception: An error of a thread outside its trial, after the other trials have been put back.
        """
        garbage = GcBetweenTrials()
        ended = [threading.Event() for _ in range(self._n_jobs)]
        for i, event in enumerate(ended):
            # Daemons: a second interruption does not wait for the epoch that they are in.
            threading.Thread(target=self._work, args=(event, garbage), name=f"trial-worker-{i}", daemon=True).start()
        try:
            _wait(ended)
        except KeyboardInterrupt:
            self._stop.set()
            self._display.interruption()
            _wait(ended)
            raise
        if self._error:
            raise self._error

    def _work(self, ended: threading.Event, garbage: GcBetweenTrials) -> None:
        try:
            while job := self._next():
                finished = run_trial(self._worker, job, self._stop, self._display.epoch, self._deadline)
                if finished is not None:
                    self._display.trial(finished)
                garbage.collect()
            if not self._stop.is_set():
                self._on_idle()
        except BaseException as error:  # carried to the thread that waits in `run`
            self._error = self._error or error
            self._stop.set()
        finally:
            ended.set()

    def _next(self) -> Job | None:
        """The next trial to run; None when the study is over."""
        while not self._stop.is_set():
            with self._worker.leases.storage.reading_once():
                trial, over = self._ask()
                if trial is not None:
                    with suppress(Lost):
                        return prepare(self._worker, trial)
            if over:
                self.stopped_by = self.stopped_by or over
                return None
            self._stop.wait(_POLL)
        return None

    def _ask(self) -> tuple[optuna.Trial | None, str]:
        """The next trial, leased; if there is none, the limit that ends the study, or "" to ask again later."""
        study, leases = self._worker.study, self._worker.leases
        with leases.study_lock():
            trials = trials_of(self._worker)
            over = self._over(trials)
            if not over and self._limits.grid and not self._limits.grid.enqueue_next(study, trials):
                over = "grid"
            if not over:
                trial = study.ask()
                return (trial if leases.acquire(trial.number) else None), ""
            return None, "" if over in ("n_trials", "grid") and self._others_run(trials) else over

    def _over(self, trials: Sequence[FrozenTrial]) -> str:
        """The limit that is reached, whatever is left to be tried; "" if none is."""
        limits = self._limits
        if sum(trial.state != TrialState.WAITING for trial in trials) >= limits.n_trials:
            return "n_trials"
        if time.monotonic() > self._deadline:
            return "timeout"
        if (rule := limits.stop_when) and self.stopped_by == rule.name:  # for another thread, which has ended
            return rule.name
        return rule.name if rule and rule(self._worker.study, limits.n_trials) else ""

    def _others_run(self, trials: Sequence[FrozenTrial]) -> bool:
        running = {trial.number for trial in trials if trial.state == TrialState.RUNNING}
        return not running <= self._worker.leases.held_trials()


def trials_of(worker: WorkerContext) -> list[FrozenTrial]:
    """The trials of the study; those that nobody runs any more are put back before. Under the study lock only.

    Outside it a running trial without a lease may just have been asked for.
    """
    study, leases = worker.study, worker.leases
    live = leases.live_trials() | leases.held_trials()  # first: a trial ends before it gives its lease back
    trials = study.get_trials(deepcopy=False)
    running = [trial.number for trial in trials if trial.state == TrialState.RUNNING]
    dead = [number for number in running if number not in live and leases.acquire(number)]
    for number in dead:
        try:
            put_back(worker, number)
        except UpdateFinishedTrialError:  # by a process that was away and seemed dead
            leases.release(number)
    return study.get_trials(deepcopy=False) if dead else trials


def _wait(events: Sequence[threading.Event]) -> None:
    """Wait for all; not by `Thread.join`, which takes a thread for ended when an interruption meets it there.

    See https://github.com/python/cpython/issues/90882.
    """
    for event in events:
        while not event.wait(0.2):
            pass


def count_states(trials: Sequence[FrozenTrial]) -> dict[str, int]:
    """Number of complete, pruned and failed trials, under the names of the tune run's metrics."""
    states = [trial.state for trial in trials]
    return {
        "n_complete": states.count(TrialState.COMPLETE),
        "n_pruned": states.count(TrialState.PRUNED),
        "n_failed": states.count(TrialState.FAIL),
    }
