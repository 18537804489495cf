"""Where a study is kept: its database, which is waited for when it is busy or away, and its checkpoints."""

from __future__ import annotations

import functools
import logging
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from platformdirs import user_data_path
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError

from steps.errors import InputError, StepError

logger = logging.getLogger(__name__)

STORAGE_VARIABLE = "TUNE_STORAGE"
CHECKPOINTS_VARIABLE, SECONDS_VARIABLE = "TUNE_CHECKPOINTS", "TUNE_CHECKPOINT_SECONDS"
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

PATIENCE = 120.0  # seconds that a busy or absent database is waited for
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0  # seconds


def storage_url(given: str, tracking_uri: str) -> str:
    """URL of the study's database: `TUNE_STORAGE`, else what is given, else SQLite beside MLflow's database.

    Raises:
        InputError: No database URL, one with a password in the parameter (parameters are recorded), or MLflow's own.
    """
    from_environment = os.environ.get(STORAGE_VARIABLE, "")
    if not (from_environment or given):
        return f"sqlite:///{_beside(tracking_uri) / 'optuna.db'}"
    try:
        url = make_url(from_environment or given)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):  # none of their messages: they may quote a password
        raise InputError(
            f"{STORAGE_VARIABLE if from_environment else 'storage'} must be a database URL such as "
            "sqlite:///study.db or postgresql://host/database; set one with a password in the environment "
            f"variable {STORAGE_VARIABLE}"
        ) from None
    if not from_environment and (url.password or any("password" in key.lower() for key in url.query)):
        raise InputError(
            f"storage must not hold a password, because parameters are recorded; set {STORAGE_VARIABLE} instead"
        )
    if url.get_backend_name() == "postgresql" and url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if _is_same_database(url, tracking_uri):
        raise InputError(
            f"storage must be another database than MLflow's, got {url.render_as_string()}: "
            "both keep their version in a table of the same name"
        )
    return url.render_as_string(hide_password=False)


@dataclass(frozen=True)
class Checkpoints:
    """Where running trials keep their checkpoints, and how many seconds of training may lie between two."""

    folder: Path
    seconds: float

    @classmethod
    def of(cls, url: str) -> Checkpoints:
        """Those of the study's database: beside an SQLite file, else in the user's data folder.

        `TUNE_CHECKPOINTS` and `TUNE_CHECKPOINT_SECONDS` of the environment say otherwise.

        Raises:
            InputError: The seconds are no number of at least 0.
        """
        given = os.environ.get(SECONDS_VARIABLE, "3")
        try:
            seconds = float(given)
        except ValueError:
            seconds = math.nan
        if not seconds >= 0:
            raise InputError(f"{SECONDS_VARIABLE} must be a number of at least 0, got {given!r}")
        return cls(_checkpoint_folder(url), seconds)

    def path(self, run_id: str) -> Path:
        return self.folder / f"{run_id}.ckpt"


def open_storage(url: str) -> RDBStorage:
    """Connect; SQLite in WAL mode, which several threads and processes can share.

    Raises:
        InputError: The URL names a driver that is not installed.
        StepError: The database does not answer.
    """
    template = url.replace("{", "{{").replace("}", "}}")  # Optuna formats it
    is_sqlite = url.startswith("sqlite")
    kwargs: dict[str, Any] = {"connect_args": {"timeout": 30}} if is_sqlite else {"pool_pre_ping": True}
    try:
        storage = PatientStorage(template, engine_kwargs=kwargs)
    except ImportError:
        raise InputError(
            f"{STORAGE_VARIABLE} must name a database driver that is installed, got {make_url(url).drivername}"
        ) from None
    except (DBAPIError, StorageInternalError) as error:
        raise StepError(f"the study's database {_shown(url)} does not answer: {first_line(error)}") from error
    if is_sqlite:
        event.listen(storage.engine, "connect", _set_pragmas)
        storage.engine.dispose()
    return storage


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
    """

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Any = None) -> bool:
        try:
            return bool(self._set_state(trial_id, state, values))
        except UpdateFinishedTrialError:
            found = self.get_trial(trial_id)
            if found.state != state or (values is not None and found.values != list(values)):
                raise
            return True

    @patiently
    def _set_state(self, trial_id: int, state: TrialState, values: Any) -> bool:
        return super().set_trial_state_values(trial_id, state, values)


for _name in (
    "create_new_study", "get_all_studies", "get_study_directions", "get_study_id_from_name", "get_study_name_from_id",
    "get_study_system_attrs", "get_study_user_attrs", "set_study_system_attr", "set_study_user_attr",
    "get_trial", "get_trial_id_from_study_id_trial_number", "set_trial_intermediate_value", "set_trial_system_attr",
    "set_trial_user_attr", "_create_new_trial", "_get_best_trial_id", "_get_trials", "_set_trial_param",
):  # fmt: skip
    setattr(PatientStorage, _name, patiently(getattr(RDBStorage, _name)))


def _may_pass(error: BaseException) -> bool:
    """Whether time can heal it: a lock, a server that restarts; not a full disk or a wrong statement."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    if not isinstance(cause, OperationalError | InterfaceError):
        return isinstance(cause, DBAPIError) and bool(cause.connection_invalidated)
    text = str(cause.orig).lower()
    return "sqlite" not in type(cause.orig).__module__ or "locked" in text or "busy" in text


def _checkpoint_folder(url: str) -> Path:
    if given := os.environ.get(CHECKPOINTS_VARIABLE):
        return Path(given).absolute()
    database = make_url(url)
    if database.get_backend_name() == "sqlite" and database.database not in (None, "", ":memory:"):
        file = Path(str(database.database)).absolute()
        return file.with_name(f"{file.stem}-checkpoints")
    return user_data_path("mlp-tuning") / "checkpoints"


def _set_pragmas(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _beside(tracking_uri: str) -> Path:
    """The folder of a local MLflow store; the user's data folder when tracking is remote."""
    parts = urlsplit(tracking_uri)
    if parts.scheme.startswith("sqlite"):
        return Path(make_url(tracking_uri).database or "mlflow.db").absolute().parent
    if parts.scheme in ("", "file"):
        return Path(parts.path).absolute().parent
    folder = user_data_path("mlp-tuning")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _is_same_database(url: URL, tracking_uri: str) -> bool:
    try:
        other = make_url(tracking_uri)
    except (ArgumentError, ValueError):
        return False
    if url.get_backend_name() != other.get_backend_name() or not url.database:
        return False
    if url.get_backend_name() == "sqlite":
        return Path(url.database).absolute() == Path(other.database or "").absolute()
    return (url.host, url.port, url.database) == (other.host, other.port, other.database)


def _shown(url: str) -> str:
    return make_url(url).set(query={}).render_as_string()
