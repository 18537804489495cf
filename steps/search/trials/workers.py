"""The threads that run the trials of a study."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from steps.search.store.leases import Leases
from steps.search.trials.checkpoints import Checkpoints
from steps.search.trials.context import Job, TrialContext, prepare
from steps.search.trials.garbage import GcBetweenTrials
from steps.search.trials.training import OnEpoch
from steps.search.trials.trial import put_back, run_trial
from steps.tracking.trials import TrialRuns

_POLL = 1.0  # seconds between two looks at the trials of other processes


class Workers:
    """Runs trials in `n_jobs` threads until the study has `n_trials`, or `timeout` seconds are over.

    A failed trial counts. Where other processes run the last trials, these threads wait: they continue
    the trials of a process that dies.

    Attributes:
        stopped_by: What ended the study first: n_trials, timeout, plateau or grid; empty before.
    """

    def __init__(
        self,
        context: TrialContext,
        study: optuna.Study,
        runs: TrialRuns,
        leases: Leases,
        checkpoints: Checkpoints,
        *,
        n_trials: int,
        n_jobs: int,
        timeout: float = math.inf,
        on_epoch: OnEpoch,
        on_trial: Callable[[FrozenTrial], None],
        on_interruption: Callable[[], None],
        plateau: Callable[[optuna.Study], bool] | None = None,
        ask: Callable[[optuna.Study], optuna.Trial | None] = optuna.Study.ask,
        on_idle: Callable[[], None] = lambda: None,
        stop: threading.Event | None = None,
    ) -> None:
        """
        Args:
            timeout: Seconds after which no trial is started.
            on_idle: Called by each thread that finds no more trials, while others may still run theirs.
            stop: Set from outside to put the running trials back after their epoch and end.
            plateau: Whether to stop for want of improvement.
            ask: Gives the next trial; None where a grid is done.
        """
        self._context, self._study, self._runs = context, study, runs
        self._claims, self._checkpoints = leases, checkpoints
        self._n_trials, self._n_jobs = n_trials, n_jobs
        self._deadline = time.monotonic() + timeout
        self._on_epoch, self._on_trial, self._on_interruption = on_epoch, on_trial, on_interruption
        self._plateau, self._ask = plateau, ask
        self._on_idle = on_idle
        self.stopped_by = ""
        self._stop = stop or threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        """Run to the end.

        Raises:
            KeyboardInterrupt: After the running trials have been put back at the end of their epoch; at once
                when it comes a second time.
            Exception: What a thread met outside its trial, after the other trials have been put back.
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
            self._on_interruption()
            _wait(ended)
            raise
        if self._error:
            raise self._error

    def _work(self, ended: threading.Event, garbage: GcBetweenTrials) -> None:
        try:
            while job := self._next():
                finished = run_trial(
                    job, self._study, self._runs, self._claims, self._checkpoints, self._stop, self._on_epoch
                )
                if finished is not None:
                    self._on_trial(finished)
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
            storage = self._claims.storage
            with self._claims.study_lock(), storage.reading_once():
                put_back_the_dead(self._study, self._claims)
                over = self._over()
                trial = None if over else self._ask(self._study)
                if trial is not None:
                    if self._claims.acquire(trial._trial_id):
                        with storage.together():
                            return prepare(self._context, trial)
                elif over in ("timeout", "plateau") or not self._others_run():
                    self.stopped_by = self.stopped_by or over or "grid"
                    return None
            self._stop.wait(_POLL)
        return None

    def _over(self) -> str:
        trials = self._study.get_trials(deepcopy=False)
        if sum(trial.state.is_finished() or trial.state == TrialState.RUNNING for trial in trials) >= self._n_trials:
            return "n_trials"
        if time.monotonic() > self._deadline:
            return "timeout"
        return "plateau" if self._plateau and self._plateau(self._study) else ""

    def _others_run(self) -> bool:
        running = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return not {trial._trial_id for trial in running} <= self._claims.held_trials()


def put_back_the_dead(study: optuna.Study, leases: Leases) -> None:
    """Return the trials that nobody runs any more to the queue; in this worker's turn only.

    Outside a turn a running trial without a lease may just have been asked.
    """
    held = leases.held_trials()
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    of_others = [trial for trial in running if trial._trial_id not in held]
    live = leases.live_trials() if of_others else set()
    for trial in of_others:
        if trial._trial_id not in live and leases.acquire(trial._trial_id):
            try:
                put_back(study, trial._trial_id, leases)
            except UpdateFinishedTrialError:  # it ended, and gave its lease back, since the first look
                leases.release(trial._trial_id)


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
