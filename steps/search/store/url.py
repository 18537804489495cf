"""The database of a study: its URL, and the connection to it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import optuna
import sqlalchemy as sa
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from platformdirs import user_data_path
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from steps.base.environment import STORAGE
from steps.base.errors import InputError, StepError
from steps.base.files import made_folder
from steps.base.paths import sqlite_url
from steps.search.store.storage import RetryingStorage, first_line

_VERSION = "version_info"  # the table in which Optuna keeps its version
_OF_MLFLOW = {"experiments", "runs"}  # tables
_POSTGRESQL = "postgresql+psycopg"
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
        return sqlite_url(_beside(tracking_uri) / "optuna.db")
    try:
        url = make_url(from_environment or given)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):  # none of their messages: they may quote a password
        raise InputError(
            f"{_given_by()} must be a database URL such as "
            "sqlite:///study.db or postgresql://host/database; set one with a password in the environment "
            f"variable {STORAGE}"
        ) from None
    if not from_environment and (url.password or any("password" in key.lower() for key in url.query)):
        raise InputError(f"storage must not hold a password, because parameters are recorded; set {STORAGE} instead")
    if url.get_backend_name() == "postgresql" and url.drivername == "postgresql":
        url = url.set(drivername=_POSTGRESQL)
    if _is_same_database(url, tracking_uri):
        raise InputError(
            f"{_given_by()} must be another database than MLflow's, got {url.render_as_string()}: "
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


def check_database(url: str) -> bool:
    """Check before anything runs that a study can be kept there; nothing is made and nothing is changed.

    Returns:
        Whether the database can hold studies already.

    Raises:
        InputError: No place for a file, a database in memory, or one of another program or of another Optuna.
        StepError: The database does not answer.
    """
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        if parts.database in (None, "", ":memory:"):
            raise InputError(f"{_given_by()} must be a database that outlives this process, got {_shown(url)}")
        file = Path(str(parts.database)).absolute()
        if not file.exists() and not parts.query:
            if not os.access(file.parent, os.W_OK | os.X_OK):
                raise InputError(f"{_given_by()} must be in a folder that exists and can be written, got {_shown(url)}")
            return False
    with _explained(url):
        engine = sa.create_engine(url, connect_args=_kwargs(url)["connect_args"])
        try:
            tables = set(sa.inspect(engine).get_table_names())
            is_ready = _VERSION in tables and bool(_count(engine, _VERSION))
        finally:
            engine.dispose()
    if ("alembic_version" in tables and _VERSION not in tables) or tables >= _OF_MLFLOW:
        raise InputError(
            f"{_given_by()} must be a database for studies alone, got {_shown(url)}, which has the tables of another "
            f"program: {', '.join(sorted(tables)[:5])}, ..."
        )
    if is_ready:
        _opened(url).engine.dispose()
    return is_ready


def existing_studies(url: str) -> BaseStorage:
    """The studies in a database, to be read; none if it does not exist yet, and then it is not made.

    Raises:
        InputError: What `check_database` refuses.
        StepError: The database does not answer.
    """
    if not check_database(url):
        return InMemoryStorage()
    with _explained(url):
        return _opened(url)


def _opened(url: str) -> RDBStorage:
    """A database with the tables of Optuna; one of another version is refused."""
    try:
        return RDBStorage(_template(url), _kwargs(url), skip_table_creation=True)
    except RuntimeError as error:
        advice = "install the Optuna that made it"
        if "upgrade" in str(error):
            advice = f"upgrade it by: optuna storage upgrade --storage {shlex.quote(_shown(url))}"
        raise InputError(
            f"{_given_by()} must be a database that Optuna {optuna.__version__} can use, got {_shown(url)}; {advice}"
        ) from error


def open_storage(url: str) -> RetryingStorage:
    """Connect; SQLite in WAL mode, which several threads and processes can share.

    Raises:
        InputError: The URL names a driver that is not installed, or what `check_database` refuses.
        StepError: The database does not answer.
    """
    check_database(url)
    with _explained(url):
        storage = RetryingStorage(_template(url), engine_kwargs=_kwargs(url))
    for driver, set_up in {"sqlite": _set_pragmas, _POSTGRESQL: _set_session}.items():
        if url.startswith(driver):
            event.listen(storage.engine, "connect", set_up)
            storage.engine.dispose()  # the connections that were made before
    return storage


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except ImportError:
        raise InputError(
            f"{STORAGE} must name a database driver that is installed, got {make_url(url).drivername}"
        ) from None
    except (SQLAlchemyError, StorageInternalError) as error:
        raise StepError(f"the study's database {_shown(url)} does not answer: {first_line(error)}") from error


def _given_by() -> str:
    """The name under which the person has named the database."""
    return STORAGE if os.environ.get(STORAGE) else "storage"


def _count(engine: sa.Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar_one())


def _template(url: str) -> str:
    """The URL as Optuna takes it, which formats it."""
    return url.replace("{", "{{").replace("}", "}}")


def _kwargs(url: str) -> dict[str, Any]:
    return {"connect_args": {"timeout": 30}} if url.startswith("sqlite") else _of_server(url)


def _of_server(url: str) -> dict[str, Any]:
    """Settings of the engine: a process keeps few connections, as a server has about a hundred for all of them."""
    parts, arguments = make_url(url), dict[str, Any]()
    if parts.drivername == _POSTGRESQL:  # a pooler such as PgBouncer hands each transaction to another session
        arguments = {"prepare_threshold": None, **{k: v for k, v in _LIBPQ.items() if k not in parts.query}}
    return {"pool_size": 2, "max_overflow": 60, "connect_args": arguments}


def _set_session(connection: Any, _record: object) -> None:
    """Not by the parameter `options` of the connection, which PgBouncer refuses."""
    for name, value in _SESSION.items():
        connection.execute(f"SET {name} = {value}")
    connection.commit()


def _set_pragmas(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _beside(tracking_uri: str) -> Path:
    """The folder of a local MLflow store; the user's data folder when tracking is remote."""
    parts = urlsplit(tracking_uri)
    if parts.scheme.startswith("sqlite"):
        return Path(make_url(tracking_uri).database or "mlflow.db").absolute().parent
    if parts.scheme in ("", "file"):
        return Path(unquote(parts.path) if parts.scheme else tracking_uri).absolute().parent
    return made_folder(user_data_path("mlp-tuning"), "XDG_DATA_HOME")


def _is_same_database(url: URL, tracking_uri: str) -> bool:
    try:
        other = make_url(tracking_uri)
    except (ArgumentError, ValueError):
        return False
    if url.get_backend_name() != other.get_backend_name() or not url.database:
        return False
    if url.get_backend_name() == "sqlite":
        return Path(url.database).resolve() == Path(other.database or "").resolve()
    return (url.host, url.port, url.database) == (other.host, other.port, other.database)


def _shown(url: str) -> str:
    return make_url(url).set(query={}).render_as_string()
