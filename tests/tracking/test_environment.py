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
        ("MLFLOW_TRACKING_URI", "nonsense://"),
        ("MLFLOW_TRACKING_URI", "htp://localhost:5000"),
        ("MLFLOW_TRACKING_URI", "localhost:5000"),
        ("MLFLOW_REGISTRY_URI", "s3://bucket/models"),
        ("MLFLOW_TRACKING_URI", "sqlite://"),
    ],
)
def test_a_value_that_mlflow_cannot_read_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=f"^{name} must be .*, got {re.escape(repr(value))}"):
        check_environment()


@pytest.mark.parametrize(
    "url",
    ["sqlite:x.db", "sqlite://x.db", "sqlite+nope:///x.db", "postgresql://me:s3cr3t@h:port/x", "mysql://me:s3cr3t@h/x"],
)
@pytest.mark.parametrize("name", ["MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"])
def test_the_url_of_a_database_that_cannot_be_opened_is_named_but_not_quoted(
    name: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, url)
    with pytest.raises(InputError, match=f"^{name} must (be the URL|name a database driver)") as error:
        check_environment()
    assert "s3cr3t" not in str(error.value)


@pytest.mark.parametrize(
    "uri", ["", "mlruns", "/tmp/mlruns", "file:///tmp/mlruns", "databricks", "databricks://profile", "C:/mlruns"]
)
def test_other_stores_of_mlflow_pass(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
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
