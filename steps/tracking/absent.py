"""Requests to the tracking store for entities that may not exist."""

from __future__ import annotations

from collections.abc import Callable

from mlflow.exceptions import MlflowException

from steps.base.retry import Arguments, Result

_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # the second for a malformed ID


def if_exists(get: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result | None:
    """The result of a request; None if the store reports that there is no such run, model, version or alias."""
    try:
        return get(*args, **kwargs)
    except MlflowException as error:
        if error.error_code not in _ABSENT:
            raise
        return None
