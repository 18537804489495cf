"""The threads that run the trials of a study."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from steps.search.trial import ERROR, INTERRUPTED, OnEpoch, Task, run_trial, suggest
from steps.tracking.trials import TrialRuns


class Workers:
    """Runs trials in `n_jobs` threads until the study has `n_trials`, or `timeout` seconds are over.

    A failed trial counts, an interrupted one does not.

    Attributes:
        stopped_by: What ended the study first: n_trials, timeout, plateau or grid; empty before.
    """

    def __init__(
        self,
        task: Task,
        study: optuna.Study,
        runs: TrialRuns,
        *,
        n_trials: int,
        n_jobs: int,
        timeout: float,
        on_epoch: OnEpoch,
        on_trial: Callable[[FrozenTrial], None],
        plateau: Callable[[optuna.Study], bool] | None = None,
        ask: Callable[[optuna.Study], optuna.Trial | None] = optuna.Study.ask,
    ) -> None:
        """
        Args:
            plateau: Whether to stop for want of improvement.
            ask: Gives the next trial; None where a grid is done.
        """
        self._task, self._study, self._runs = task, study, runs
        self._n_jobs = n_jobs
        self._deadline = time.monotonic() + timeout if timeout else float("inf")
        self._n_left = n_trials - sum(counts(trial) for trial in study.get_trials(deepcopy=False))
        self._on_epoch, self._on_trial = on_epoch, on_trial
        self._plateau, self._next = plateau, ask
        self.stopped_by = ""
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        """Run to the end.

        Raises:
            KeyboardInterrupt: After the running trials have ended as failed.
            Exception: What a thread met outside its trial, after the other trials have ended.
        """
        threads = [threading.Thread(target=self._work, name=f"trial-worker-{i}") for i in range(self._n_jobs)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
        if self._error:
            raise self._error

    def _work(self) -> None:
        try:
            while asked := self._ask():
                trial, hyperparameters = asked
                finished = run_trial(
                    self._task, self._study, trial, hyperparameters, self._runs, self._stop, self._on_epoch
                )
                self._on_trial(finished)
        except BaseException as error:  # carried to the thread that waits in `run`
            self._error = self._error or error
            self._stop.set()

    def _ask(self) -> tuple[optuna.Trial, dict[str, Any]] | None:
        with self._lock:  # one at a time: samplers keep a random state
            if self._stop.is_set():
                return None
            self.stopped_by = self.stopped_by or self._over()
            if self.stopped_by:
                return None
            trial = self._next(self._study)
            if trial is None:
                self.stopped_by = "grid"
                return None
            self._n_left -= 1
            return trial, suggest(self._task, trial)

    def _over(self) -> str:
        if self._n_left <= 0:
            return "n_trials"
        if time.monotonic() > self._deadline:
            return "timeout"
        return "plateau" if self._plateau and self._plateau(self._study) else ""


def counts(trial: FrozenTrial) -> bool:
    """Whether a trial uses up budget: it ended, and not because someone stopped the study."""
    return trial.state.is_finished() and trial.user_attrs.get(ERROR) != INTERRUPTED


def count_states(trials: Sequence[FrozenTrial]) -> dict[str, int]:
    """Number of complete, pruned and failed trials, under the names of the tune run's metrics."""
    states = [trial.state for trial in trials]
    return {
        "n_complete": states.count(TrialState.COMPLETE),
        "n_pruned": states.count(TrialState.PRUNED),
        "n_failed": states.count(TrialState.FAIL),
    }
