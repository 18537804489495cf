"""The database of a study: its URL, and the connection to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from optuna.exceptions import StorageInternalError
from platformdirs import user_data_path
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from steps.base.environment import STORAGE
from steps.base.errors import InputError, StepError
from steps.search.store.storage import RetryingStorage, first_line

# Settings of libpq and of a session: both ends give up a dead connection, with its locks, within half a minute.
_LIBPQ = {"connect_timeout": 10, "tcp_user_timeout": 20_000, "keepalives_idle": 10, "keepalives_interval": 5}
_SESSION = {"idle_in_transaction_session_timeout": 60_000, "tcp_user_timeout": 20_000, "tcp_keepalives_idle": 10}


def storage_url(given: str, tracking_uri: str) -> str:
    """URL of the study's database: `TUNE_STORAGE`, else the given one, else SQLite beside MLflow's database.

    Raises:
        InputError: No database URL, one with a password in the parameter (parameters are recorded), or MLflow's own.
    """
    from_environment = os.environ.get(STORAGE, "")
    if not (from_environment or given):
        return f"sqlite:///{_beside(tracking_uri) / 'optuna.db'}"
    try:
        url = make_url(from_environment or given)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):  # none of their messages: they may quote a password
        raise InputError(
            f"{STORAGE if from_environment else 'storage'} must be a database URL such as "
            "sqlite:///study.db or postgresql://host/database; set one with a password in the environment "
            f"variable {STORAGE}"
        ) from None
    if not from_environment and (url.password or any("password" in key.lower() for key in url.query)):
        raise InputError(f"storage must not hold a password, because parameters are recorded; set {STORAGE} instead")
    if url.get_backend_name() == "postgresql" and url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if _is_same_database(url, tracking_uri):
        raise InputError(
            f"storage must be another database than MLflow's, got {url.render_as_string()}: "
            "both keep their version in a table of the same name"
        )
    return url.render_as_string(hide_password=False)


def recordable(url: str) -> str:
    """The URL to record, by which others find the database: empty if `TUNE_STORAGE` names it."""
    if os.environ.get(STORAGE):
        return ""
    own = make_url(url)
    if own.get_backend_name() == "sqlite" and own.database:
        own = own.set(database=str(Path(own.database).absolute()))
    return own.render_as_string()


def open_storage(url: str) -> RetryingStorage:
    """Connect; SQLite in WAL mode, which several threads and processes can share.

    Raises:
        InputError: The URL names a driver that is not installed.
        StepError: The database does not answer.
    """
    template = url.replace("{", "{{").replace("}", "}}")  # Optuna formats it
    is_sqlite = url.startswith("sqlite")
    kwargs: dict[str, Any] = {"connect_args": {"timeout": 30}} if is_sqlite else _of_server(url)
    try:
        storage = RetryingStorage(template, engine_kwargs=kwargs)
    except ImportError:
        raise InputError(
            f"{STORAGE} must name a database driver that is installed, got {make_url(url).drivername}"
        ) from None
    except (DBAPIError, StorageInternalError) as error:
        raise StepError(f"the study's database {_shown(url)} does not answer: {first_line(error)}") from error
    if is_sqlite:
        event.listen(storage.engine, "connect", _set_pragmas)
        storage.engine.dispose()
    return storage


def _of_server(url: str) -> dict[str, Any]:
    """Settings of the engine: a process keeps few connections, as a server has about a hundred for all of them."""
    kwargs: dict[str, Any] = {"pool_size": 2, "max_overflow": 60}
    parts = make_url(url)
    if parts.drivername == "postgresql+psycopg":
        own = {} if "options" in parts.query else {"options": " ".join(f"-c {k}={v}" for k, v in _SESSION.items())}
        kwargs["connect_args"] = {**{k: v for k, v in _LIBPQ.items() if k not in parts.query}, **own}
    return kwargs


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
