from __future__ import annotations

import re

import pytest

from steps.base.errors import InputError
from steps.tracking.environment import check_environment


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MLFLOW_LOGGING_LEVEL", "loud"),  # the import of MLflow fails
        ("MLFLOW_HTTP_REQUEST_TIMEOUT", "soon"),
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", ""),
        ("MLFLOW_ENABLE_ASYNC_LOGGING", "maybe"),
        ("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "yes"),
        ("MLFLOW_SQLALCHEMYSTORE_POOL_SIZE", "2.5"),
        ("MLFLOW_TRACKING_URI", "http:"),
        ("MLFLOW_TRACKING_URI", "http://"),
        ("MLFLOW_TRACKING_URI", "https:///mlflow"),
        ("MLFLOW_TRACKING_URI", "HTTP://:5000"),
        ("MLFLOW_TRACKING_URI", "http://[::1"),
        ("MLFLOW_REGISTRY_URI", "http://localhost:port"),
    ],
)
def test_a_value_that_mlflow_cannot_read_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=f"^{name} must be .*, got {re.escape(repr(value))}"):
        check_environment()


def test_what_mlflow_reads_passes_and_what_it_does_not_know_is_nothing_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "MLFLOW_LOGGING_LEVEL": "debug",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "7",
        "MLFLOW_ENABLE_ASYNC_LOGGING": "FALSE",
        "MLFLOW_SOMETHING_ELSE": "x",
        "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db",
        "MLFLOW_REGISTRY_URI": "https://me:password@[::1]:5000/prefix",
    }.items():
        monkeypatch.setenv(name, value)
    check_environment()
