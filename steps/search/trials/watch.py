"""The trials that other processes run, as the study's database shows them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self

import optuna
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import DBAPIError

from steps.tasks.objectives import Objective

_INTERVAL = 1.0  # seconds


class Display(Protocol):
    """A display of trials."""

    def epoch(self, number: int, epoch: int, metrics: Mapping[str, float]) -> None: ...

    def trial(self, trial: FrozenTrial) -> None: ...

    def interruption(self) -> None: ...


class Watch:
    """Shows all trials of a study: this process's own as they are told, those of others once a second.

    A context manager; its last look is at its end.
    """

    def __init__(self, study: optuna.Study, objective: Objective, display: Display) -> None:
        self._study, self._metric, self._display = study, objective.key, display
        self._shown = {trial.number for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()}
        self._own: set[int] = set()
        self._epochs: dict[int, int] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if error is None:
            self._look()

    def epoch(self, number: int, epoch: int, metrics: Mapping[str, float]) -> None:
        self._own.add(number)
        self._display.epoch(number, epoch, metrics)

    def trial(self, trial: FrozenTrial) -> None:
        with self._lock:
            self._show(trial)

    def interruption(self) -> None:
        self._display.interruption()

    def _watch(self) -> None:
        while not self._stop.wait(_INTERVAL):
            with suppress(KeyError, StorageInternalError, DBAPIError):  # the trials meet the same and say so
                self._look()

    def _look(self) -> None:
        with self._lock:
            for trial in self._study.get_trials(deepcopy=False):
                if trial.state.is_finished():
                    self._show(trial)
                elif trial.intermediate_values and trial.state == TrialState.RUNNING and trial.number not in self._own:
                    epoch, value = max(trial.intermediate_values.items())
                    if epoch != self._epochs.get(trial.number):
                        self._epochs[trial.number] = epoch
                        self._display.epoch(trial.number, epoch, {self._metric: value})

    def _show(self, trial: FrozenTrial) -> None:
        if trial.number not in self._shown:
            self._shown.add(trial.number)
            self._display.trial(trial)
