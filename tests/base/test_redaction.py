from __future__ import annotations

import logging

import pytest

from steps.base.redaction import RedactingFormatter, redact


def test_passwords_of_the_environment_are_hidden_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNE_STORAGE", "postgresql://me:s3cr3t%40x@db/optuna")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hunter2")
    text = redact("failed: s3cr3t@x and s3cr3t%40x, or hunter2 of me")
    assert text == "failed: *** and ***, or *** of me"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("connect to postgresql://me:word@db/optuna failed", "connect to postgresql://me:***@db/optuna failed"),
        ("host=db password=word dbname=x", "host=db password=*** dbname=x"),
        ("at http://127.0.0.1:5000/a and sqlite:///x@y.db", "at http://127.0.0.1:5000/a and sqlite:///x@y.db"),
    ],
)
def test_passwords_are_known_by_their_place(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_log_lines_with_tracebacks_hold_none(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("TUNE_STORAGE", "postgresql://me:s3cr3t@db/optuna")
    try:
        raise OSError("no s3cr3t here")
    except OSError:
        logging.getLogger("test").exception("with %s", "s3cr3t")
    line = RedactingFormatter("%(message)s").format(caplog.records[0])
    assert "s3cr3t" not in line
    assert "OSError: no *** here" in line
