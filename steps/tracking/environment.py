"""MLflow's environment variables, checked before anything runs."""

from __future__ import annotations

import logging
import os
from urllib.parse import urlsplit

from steps.base.environment import STORES
from steps.base.errors import InputError

_LOGGING_LEVEL = "MLFLOW_LOGGING_LEVEL"


def check_environment() -> None:
    """Read all MLflow variables that are set; MLflow itself would do so later, and fail with a traceback.

    Raises:
        InputError: MLflow cannot read a value.
    """
    for name in STORES:
        _check_server(name, os.environ.get(name, ""))
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


def _check_server(name: str, url: str) -> None:
    """Refuse the URL of a server that names no host."""
    if not url.lower().startswith(("http:", "https:")):
        return
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0  # the port of http://host:x raises
    except ValueError:
        has_host = False
    if not has_host:
        raise InputError(f"{name} must be the URL of a server, such as http://localhost:5000, got {url!r}")
