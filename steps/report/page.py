"""Documents from the templates of this room: Markdown, and HTML of one file without network access."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import jinja2

from steps.report.format import cell, duration, interval, listed, sentence, shown
from steps.tasks.metric import significant

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("steps.report", "."),
    autoescape=jinja2.select_autoescape(["html.jinja"]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values: Any) -> str:
    """An HTML document for light and dark themes, phone and paper; or one in Markdown.

    Args:
        template: Path below `steps/report/`; HTML extends `page.html.jinja`.
        values: Escaped in HTML, unless they are `Markup`.
    """
    return _ENVIRONMENT.get_template(template).render(**values)


def _sha256(text: str) -> str:
    """Digest by which the content security policy allows this script only."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


_FILTERS = (cell, duration, interval, listed, sentence, shown, significant)
_ENVIRONMENT.filters |= {function.__name__: function for function in _FILTERS} | {"sha256": _sha256}
