"""Optuna's storage, waited for when its database is busy or away."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import sqlalchemy as sa
from optuna.distributions import BaseDistribution, check_distribution_compatibility, distribution_to_json
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.storages._rdb.models import TrialParamModel
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

logger = logging.getLogger(__name__)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

PATIENCE = 120.0  # seconds that a busy or absent database is waited for
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0  # seconds


def first_line(error: BaseException) -> str:
    """What the database said, without SQL and parameters."""
    if isinstance(error, StorageInternalError) and error.__cause__:
        error = error.__cause__
    said = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return str(said).partition("\n")[0]


def patiently(call: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorator: repeat what a busy or absent database refused, with growing waits, for `PATIENCE` seconds."""

    @functools.wraps(call)
    def repeat(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        deadline, wait = time.monotonic() + PATIENCE, _FIRST_WAIT
        while True:
            try:
                return call(*args, **kwargs)
            except (DBAPIError, StorageInternalError) as error:
                if not _may_pass(error) or time.monotonic() + wait > deadline:
                    raise
                if wait > 1:
                    logger.warning("The study's database does not answer, trying again: %s", first_line(error))
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    return repeat


class PatientStorage(RDBStorage):
    """Optuna's storage, whose every request is repeated while its database is busy or away.

    A request may have been done although its answer was lost. Attributes, parameters and intermediate
    values are then written again with the same content; a trial created twice stays RUNNING without
    a claim and is the next one to be run; only the end of a trial must be recognized.

    The parameters of a trial are suggested one by one and written together, with the next thing that is
    written or read: a transaction each would be most of what a trial costs.

    Attributes:
        may_end: Asked before each attempt to end a trial, with its ID: a process that was cut off for a while
            may no longer have it.
    """

    def __init__(self, url: str, **kwargs: Any) -> None:
        super().__init__(url, **kwargs)
        self._unwritten: list[tuple[int, str, float, BaseDistribution]] = []
        self._writing = threading.Lock()
        self._view = threading.local()
        self.may_end: Callable[[int], bool] = lambda _: True

    @contextmanager
    def reading_once(self) -> Iterator[None]:
        """What this thread reads of a study in this block is as it was at its first look.

        A sampler looks several times while it suggests, at trials that have not changed in between.
        """
        self._view.seen = set()
        try:
            yield
        finally:
            self._view.seen = None

    def _get_trials(self, study_id: int, *args: Any, **kwargs: Any) -> list[FrozenTrial]:
        """New or changed trials; Optuna keeps the others in memory."""
        seen = getattr(self._view, "seen", None)
        if seen is not None and study_id in seen:
            return []
        self.write_params()
        found: list[FrozenTrial] = self._read_trials(study_id, *args, **kwargs)
        if seen is not None:
            seen.add(study_id)
        return found

    @patiently
    def _read_trials(self, *args: Any, **kwargs: Any) -> Any:
        return super()._get_trials(*args, **kwargs)

    def _set_trial_param(
        self, trial_id: int, name: str, value: float, distribution: BaseDistribution, earlier: BaseDistribution | None
    ) -> None:
        if earlier is None:
            self._set_first_param(trial_id, name, value, distribution)
            return
        check_distribution_compatibility(earlier, distribution)
        with self._writing:
            self._unwritten.append((trial_id, name, value, distribution))

    @patiently
    def _set_first_param(self, trial_id: int, name: str, value: float, distribution: BaseDistribution) -> None:
        """The first of its name that this process sees: Optuna compares it with those in the database."""
        super()._set_trial_param(trial_id, name, value, distribution, None)

    def write_params(self) -> None:
        """Write the parameters that were suggested since the last call."""
        with self._writing:
            if self._unwritten:
                self._insert_params()
                self._unwritten.clear()

    @patiently
    def _insert_params(self) -> None:
        rows = [
            {
                "trial_id": trial_id,
                "param_name": name,
                "param_value": value,
                "distribution_json": distribution_to_json(distribution),
            }
            for trial_id, name, value, distribution in self._unwritten
        ]
        with self.engine.begin() as connection:
            connection.execute(sa.insert(TrialParamModel), rows)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Any = None) -> bool:
        self.write_params()
        try:
            return bool(self._set_state(trial_id, state, values))
        except UpdateFinishedTrialError:
            found = self.get_trial(trial_id)
            if found.state != state or (values is not None and found.values != list(values)):
                raise
            return True

    @patiently
    def _set_state(self, trial_id: int, state: TrialState, values: Any) -> bool:
        if state.is_finished() and not self.may_end(trial_id):
            raise UpdateFinishedTrialError(f"trial {trial_id} was taken over")
        return super().set_trial_state_values(trial_id, state, values)


def _after_params(call: Callable[..., Result]) -> Callable[..., Result]:
    """Decorator of a method: what is still to be written comes first; then as `patiently`."""
    patient = patiently(call)

    @functools.wraps(call)
    def written_first(storage: PatientStorage, *args: Any, **kwargs: Any) -> Result:
        storage.write_params()
        return patient(storage, *args, **kwargs)

    return written_first


for _name in (
    "create_new_study", "get_all_studies", "get_study_directions", "get_study_id_from_name", "get_study_name_from_id",
    "get_study_system_attrs", "get_study_user_attrs", "set_study_system_attr", "set_study_user_attr",
    "get_trial_id_from_study_id_trial_number",
):  # fmt: skip
    setattr(PatientStorage, _name, patiently(getattr(RDBStorage, _name)))
for _name in (
    "get_trial", "set_trial_intermediate_value", "set_trial_system_attr", "set_trial_user_attr", "_create_new_trial",
    "_get_best_trial_id",
):  # fmt: skip
    setattr(PatientStorage, _name, _after_params(getattr(RDBStorage, _name)))


def _may_pass(error: BaseException) -> bool:
    """Whether time can heal it: a lock, a server that restarts; not a full disk or a wrong statement."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    if not isinstance(cause, OperationalError | InterfaceError):
        return isinstance(cause, DBAPIError) and bool(cause.connection_invalidated)
    text = str(cause.orig).lower()
    return "sqlite" not in type(cause.orig).__module__ or "locked" in text or "busy" in text
