"""Optuna's storage, waited for when its database is busy or away."""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from optuna.distributions import BaseDistribution, check_distribution_compatibility
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError

from steps.base.retry import Retry
from steps.search.store.trial_rows import (
    OF_STUDY,
    ONE,
    SYSTEM_ATTRIBUTES,
    USER_ATTRIBUTES,
    Changes,
    earlier_distribution,
)

logger = logging.getLogger(__name__)


def first_line(error: BaseException) -> str:
    """What the database said, without SQL and parameters."""
    if isinstance(error, StorageInternalError) and error.__cause__:
        error = error.__cause__
    said = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return str(said).partition("\n")[0]


def _may_pass(error: Exception) -> bool:
    """Whether time can heal it: a lock, a server that restarts; not a full disk or a wrong statement."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    if not isinstance(cause, OperationalError | InterfaceError):
        return isinstance(cause, DBAPIError) and bool(cause.connection_invalidated)
    text = str(cause.orig).lower()
    return "sqlite" not in type(cause.orig).__module__ or "locked" in text or "busy" in text


retrying = Retry("The study's database", _may_pass, first_line)


class RetryingStorage(RDBStorage):
    """Optuna's storage, whose every request is repeated while its database is busy or away.

    A request may have been done although its answer was lost. Attributes, parameters and intermediate
    values are then written again with the same content; a trial created twice stays RUNNING without
    a lease and is the next one to be run; only the end of a trial must be recognized.

    Attributes:
        may_end: Asked before each attempt to end a trial, with its number: a process that was cut off for a while
            may no longer have it.
    """

    def __init__(self, url: str, **kwargs: Any) -> None:
        super().__init__(url, **kwargs)
        self._thread = _OfThread()
        self.may_end: Callable[[int], bool] = lambda _: True

    @contextmanager
    def reading_once(self) -> Iterator[None]:
        """What this thread reads of a study in this block is as it was at its first look, but for its own changes.

        A sampler looks several times while it suggests, at trials that have not changed in between.
        """
        self._thread.seen, self._thread.made = set(), {}
        try:
            yield
        finally:
            self._thread.seen, self._thread.made = None, {}

    @contextmanager
    def together(self) -> Iterator[None]:
        """What this thread writes to a trial in this block is written at its end, in one transaction.

        Nothing of it is written where the block raises. An end of the trial is written at once, with what
        came before it.
        """
        self._thread.changes = {}
        try:
            yield
            for changes in self._thread.changes.values():
                self._write(changes)
        finally:
            self._thread.changes = None

    def trial_id(self, study: str, number: int) -> int:
        """Optuna's ID of a trial in its database, which the trial itself does not show."""
        return int(self.get_trial_id_from_study_id_trial_number(self.get_study_id_from_name(study), number))

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        with self._changing(trial_id) as changes:
            changes.attribute(USER_ATTRIBUTES, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        with self._changing(trial_id) as changes:
            changes.attribute(SYSTEM_ATTRIBUTES, key, value)

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        with self._changing(trial_id) as changes:
            changes.report(step, intermediate_value)

    def _set_trial_param(
        self, trial_id: int, name: str, value: float, distribution: BaseDistribution, earlier: BaseDistribution | None
    ) -> None:
        earlier = earlier or self._earlier_distribution(trial_id, name)
        if earlier is not None:
            check_distribution_compatibility(earlier, distribution)
        with self._changing(trial_id) as changes:
            changes.param(name, value, distribution)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Any = None) -> bool:
        if not state.is_finished():
            if self._thread.seen is not None:
                self._thread.seen.clear()
            return bool(self._set_state(trial_id, state, values))
        changes = (self._thread.changes or {}).pop(trial_id, Changes(trial_id))
        changes.end(state, values)
        try:
            self._write(changes)
        except UpdateFinishedTrialError:
            found = self.get_trial(trial_id)
            if found.state != state or (values is not None and found.values != list(values)):
                raise
        return True

    @retrying
    def get_trial(self, trial_id: int) -> FrozenTrial:
        if made := self._thread.made.pop(trial_id, None):
            return copy.deepcopy(made)  # Optuna keeps the other one
        with self._transaction() as connection:
            found = ONE.trials(connection, trial_id=trial_id)
        if not found:
            raise KeyError(f"there is no trial with the ID {trial_id}")
        return found[0]

    @retrying
    def _get_trials(
        self, study_id: int, states: object, included_trial_ids: set[int], trial_id_greater_than: int
    ) -> list[FrozenTrial]:
        """New or changed trials of all states; Optuna keeps the others in memory."""
        seen = self._thread.seen
        if seen is not None and study_id in seen:
            return []
        with self._transaction() as connection:
            also = sorted(included_trial_ids)
            found = OF_STUDY.trials(connection, study_id=study_id, after=trial_id_greater_than, also=also)
        if seen is not None:
            seen.add(study_id)
        return found

    @retrying
    def _create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> FrozenTrial:
        made = super()._create_new_trial(study_id, template_trial)
        if self._thread.seen is not None:
            self._thread.made[made._trial_id] = made
        return made

    @retrying
    def _set_state(self, trial_id: int, state: TrialState, values: Any) -> bool:
        return super().set_trial_state_values(trial_id, state, values)

    @contextmanager
    def _changing(self, trial_id: int) -> Iterator[Changes]:
        if self._thread.changes is None:
            changes = Changes(trial_id)
            yield changes
            self._write(changes)
        else:
            yield self._thread.changes.setdefault(trial_id, Changes(trial_id))

    @retrying
    def _write(self, changes: Changes) -> None:
        if changes.ended and not self.may_end(number := self.get_trial_number_from_id(changes.trial_id)):
            raise UpdateFinishedTrialError(f"trial {number} was taken over")
        try:
            with self._transaction() as connection:
                changes.write(connection, replace=False)
        except IntegrityError:  # some of it is there: written before, or in an attempt whose answer was lost
            with self._transaction() as connection:
                changes.write(connection, replace=True)

    @retrying
    def _earlier_distribution(self, trial_id: int, name: str) -> BaseDistribution | None:
        with self._transaction() as connection:
            return earlier_distribution(connection, trial_id, name)

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self.engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise StorageInternalError("the study's database refused a request") from error


class _OfThread(threading.local):
    """What one thread has looked at, made and not yet written in the blocks of `RetryingStorage`."""

    def __init__(self) -> None:
        self.seen: set[int] | None = None
        self.made: dict[int, FrozenTrial] = {}
        self.changes: dict[int, Changes] | None = None


for _name in (
    "create_new_study", "get_all_studies", "get_study_directions", "get_study_id_from_name", "get_study_name_from_id",
    "get_study_system_attrs", "get_study_user_attrs", "set_study_system_attr", "set_study_user_attr",
    "get_trial_id_from_study_id_trial_number", "_get_best_trial_id",
):  # fmt: skip
    setattr(RetryingStorage, _name, retrying(getattr(RDBStorage, _name)))
