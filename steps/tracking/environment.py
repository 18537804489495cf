"""MLflow's environment variables, checked before anything runs."""

from __future__ import annotations

import logging
import os
from importlib.metadata import entry_points
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from steps.base.environment import REGISTRY_URI, STORES, TRACKING_URI
from steps.base.errors import InputError

_LOGGING_LEVEL = "MLFLOW_LOGGING_LEVEL"
# Schemes of MLflow, beside those that plugins register.
_SERVERS, _DATABASES = ("http", "https"), ("postgresql", "mysql", "sqlite", "mssql")
_OTHERS = ("file", "databricks", "databricks-uc", "uc")
_PLUGINS = {TRACKING_URI: "mlflow.tracking_store", REGISTRY_URI: "mlflow.model_registry_store"}


def check_environment() -> None:
    """Read all MLflow variables that are set; MLflow itself would do so later, and fail with a traceback.

    Raises:
        InputError: MLflow cannot read a value.
    """
    for name in STORES:
        _check_store(name, os.environ.get(name, ""))
    level = os.environ.get(_LOGGING_LEVEL, "INFO")
    if level.upper() not in logging.getLevelNamesMapping():  # otherwise the import of MLflow fails
        known = ", ".join(logging.getLevelNamesMapping())
        raise InputError(f"{_LOGGING_LEVEL} must be one of {known}, got {level!r}")
    from mlflow import environment_variables

    for name in sorted(os.environ):
        variable = getattr(environment_variables, name, None) if name.startswith("MLFLOW_") else None
        try:
            if variable is not None:
                variable.get()
        except ValueError as error:
            raise InputError(
                f"{name} must be a value that MLflow takes, got {os.environ[name]!r} ({error}); set it, or unset it"
            ) from error


def _check_store(name: str, uri: str) -> None:
    """Refuse the URI of a store that MLflow cannot open, whatever runs there."""
    try:
        scheme = urlsplit(uri).scheme.lower()
    except ValueError:
        scheme = uri.partition(":")[0].lower()
    if scheme in _SERVERS:
        _check_server(name, uri)
    elif scheme.partition("+")[0] in _DATABASES:
        _check_database(name, uri)
    elif len(scheme) > 1 and scheme not in (*_OTHERS, *entry_points(group=_PLUGINS[name]).names):
        raise InputError(
            f"{name} must be the URL of a server such as http://localhost:5000, or of a database such as "
            f"sqlite:///mlflow.db, got {uri!r}"
        )


def _check_server(name: str, url: str) -> None:
    """Refuse the URL of a server that names no host."""
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0  # the port of http://host:x raises
    except ValueError:
        has_host = False
    if not has_host:
        raise InputError(f"{name} must be the URL of a server, such as http://localhost:5000, got {url!r}")


def _check_database(name: str, uri: str) -> None:
    """Refuse a URL that SQLAlchemy cannot read, without quoting it: it may hold a password. Refuse one in memory."""
    try:
        url = make_url(uri)
        dialect = url.get_dialect()
        dialect().create_connect_args(url)
        dialect.import_dbapi()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise InputError(
            f"{name} must be the URL of a database, such as sqlite:///mlflow.db or postgresql://host/database"
        ) from None
    except ImportError as error:
        raise InputError(f"{name} must name a database driver that is installed, got {url.drivername}") from error
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise InputError(f"{name} must be a database that outlives this process, got {uri!r}")
