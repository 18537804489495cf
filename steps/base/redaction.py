"""Keep secrets out of all output. They enter by the environment only."""

from __future__ import annotations

import logging
import os
import re
from urllib.parse import unquote, urlsplit

from steps.base.environment import SECRETS, URLS

_IN_URL = re.compile(r"(?<=://)([^\s/@:]*):([^\s@]*)@")
_IN_QUERY = re.compile(r"(?i)((?:password|token|secret)=)[^\s&'\"]+")
_HIDDEN = "***"


def redact(text: str) -> str:
    """The text without the secrets that the environment holds, and without any password in a URL."""
    for secret in sorted(_secrets(), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return _IN_QUERY.sub(rf"\1{_HIDDEN}", _IN_URL.sub(rf"\1:{_HIDDEN}@", text))


class RedactingFormatter(logging.Formatter):
    """A formatter whose lines, tracebacks included, hold no secret."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def _secrets() -> set[str]:
    found = {os.environ.get(name, "") for name in SECRETS}
    for name in URLS:
        try:
            password = urlsplit(os.environ.get(name, "")).password or ""
        except ValueError:  # no URL; a password in it is still found by its position
            continue
        found |= {password, unquote(password)}
    return {secret for secret in found if len(secret) > 2}  # shorter ones would take words apart
