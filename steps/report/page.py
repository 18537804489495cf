"""HTML from the templates of this room: one file without network access, for light and dark themes, phone and paper."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import jinja2

from steps.report.format import duration, interval, shown
from steps.tasks.metric import significant

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("steps.report", "."),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values: Any) -> str:
    """An HTML document.

    Args:
        template: Path below `steps/report/`; it extends `page.html.jinja`.
        values: Escaped, unless they are `Markup`.
    """
    return _ENVIRONMENT.get_template(template).render(**values)


def _sha256(text: str) -> str:
    """Digest by which the content security policy allows this script only."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


_ENVIRONMENT.filters |= {
    "duration": duration,
    "interval": interval,
    "shown": shown,
    "significant": significant,
    "sha256": _sha256,
}
