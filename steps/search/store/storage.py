"""Optuna's storage, which waits for its database if that is busy or away."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage, get_storage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError

from steps.base.retry import Retry


def first_line(error: BaseException) -> str:
    """The database's own message, without SQL and parameters."""
    if isinstance(error, StorageInternalError) and error.__cause__:
        error = error.__cause__
    said = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return str(said).partition("\n")[0]


def _may_pass(error: Exception) -> bool:
    """Return whether time can heal it: a lock, a server that restarts; not a full disk or a wrong statement."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    if isinstance(cause, PendingRollbackError):  # the connection was lost in the middle of a transaction
        return True
    if not isinstance(cause, OperationalError | InterfaceError):
        return isinstance(cause, DBAPIError) and bool(cause.connection_invalidated)
    text = str(cause.orig).lower()
    return "sqlite" not in type(cause.orig).__module__ or "locked" in text or "busy" in text


retrying = Retry("The study's database", _may_pass, first_line)


def _retried(name: str) -> Callable[..., Any]:
    """A method that asks the storage behind this one, as often as it takes."""

    @retrying
    def method(self: RetryingStorage, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.behind, name)(*args, **kwargs)

    return method


class _ReadTrials(threading.local):
    """The trials that one thread has read in a block of `reading_once`, by study ID; None outside of one."""

    by_study: dict[int, list[FrozenTrial]] | None = None

    def forget(self) -> None:
        if self.by_study is not None:
            self.by_study.clear()


class RetryingStorage(BaseStorage):
    """Optuna's `RDBStorage` with its cache; each request is repeated while the database is busy or away.

    A request may have been done although its answer was lost. Attributes, parameters and intermediate
    values are then written again with the same content; a trial created twice stays RUNNING without
    a lease and is the next one to be run; only the end of a trial must be recognized.

    Attributes:
        engine: Of the database; the leases share its connections.
        behind: The storage that is asked.
        may_end: Asked before each attempt to end a trial, with its number: a process that was cut off for a while
            may no longer have it.
    """

    def __init__(self, url: str, engine_kwargs: dict[str, Any] | None = None) -> None:
        database = RDBStorage(url, engine_kwargs)
        self.engine: sa.Engine = database.engine
        self.behind = get_storage(database)
        self.may_end: Callable[[int], bool] = lambda _: True
        self._read = _ReadTrials()
        self._numbers: dict[int, int] = {}  # ID of a trial that was read -> its number

    @contextmanager
    def reading_once(self) -> Iterator[None]:
        """In this block, this thread reads the trials of a study once, and again after it has changed the state of one.

        A sampler reads them for each group of hyperparameters. Trials made in the block are not among them: there is
        nothing to be learned from them yet.
        """
        self._read.by_study = {}
        try:
            yield
        finally:
            self._read.by_study = None

    @retrying
    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        read = self._read.by_study
        if read is None:
            return self.behind.get_all_trials(study_id, deepcopy, states)
        if study_id not in read:
            read[study_id] = self.behind.get_all_trials(study_id, deepcopy=False)
        trials = [trial for trial in read[study_id] if states is None or trial.state in states]
        return copy.deepcopy(trials) if deepcopy else trials

    def trial_id(self, study: str, number: int) -> int:
        """Optuna's ID of a trial in its database, which the trial itself does not show."""
        return int(self.get_trial_id_from_study_id_trial_number(self.get_study_id_from_name(study), number))

    @retrying
    def get_trial(self, trial_id: int) -> FrozenTrial:
        trial = self.behind.get_trial(trial_id)
        self._numbers[trial_id] = trial.number
        return trial

    def get_trial_number_from_id(self, trial_id: int) -> int:
        return self._numbers[trial_id] if trial_id in self._numbers else self.get_trial(trial_id).number

    @retrying
    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        if template_trial:  # an enqueued one, which the next ask takes
            self._read.forget()
        return self.behind.create_new_trial(study_id, template_trial)

    @retrying
    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        self._read.forget()
        if state.is_finished() and not self.may_end(number := self.get_trial_number_from_id(trial_id)):
            raise UpdateFinishedTrialError(f"trial {number} was taken over")
        try:
            return bool(self.behind.set_trial_state_values(trial_id, state, values))
        except UpdateFinishedTrialError:  # perhaps by an attempt whose answer was lost
            found = self.behind.get_trial(trial_id)
            if found.state != state or (values is not None and found.values != list(values)):
                raise
            return True

    create_new_study = _retried("create_new_study")
    delete_study = _retried("delete_study")
    set_study_user_attr = _retried("set_study_user_attr")
    set_study_system_attr = _retried("set_study_system_attr")
    get_study_id_from_name = _retried("get_study_id_from_name")
    get_study_name_from_id = _retried("get_study_name_from_id")
    get_study_directions = _retried("get_study_directions")
    get_study_user_attrs = _retried("get_study_user_attrs")
    get_study_system_attrs = _retried("get_study_system_attrs")
    get_all_studies = _retried("get_all_studies")
    set_trial_param = _retried("set_trial_param")
    set_trial_intermediate_value = _retried("set_trial_intermediate_value")
    set_trial_user_attr = _retried("set_trial_user_attr")
    set_trial_system_attr = _retried("set_trial_system_attr")
    get_trial_id_from_study_id_trial_number = _retried("get_trial_id_from_study_id_trial_number")
    get_best_trial = _retried("get_best_trial")
