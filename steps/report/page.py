"""The skeleton that every HTML report shares: one file, no network, light and dark, on a phone and on paper."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from PIL import Image

from steps.report.format import percent

ENVIRONMENT = jinja2.Environment(
    autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
ENVIRONMENT.filters["percent"] = percent

_STYLE = """
:root { color-scheme: light dark; --text: #1b1f24; --muted: #57606a; --page: #ffffff; --panel: #f4f6f8; --line: #d0d7de;
  --accent: #1f5fa8; --good: #1a7f37; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ed; --muted: #a3acb7; --page: #14171a; --panel: #1e2328;
  --line: #3b434c; --accent: #7db4f5; --good: #56c271; --bad: #ff8b82; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 66rem; padding: 1.5rem 1rem 4rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 0 0 .2rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; padding-top: .6rem; border-top: 1px solid var(--line); }
p { margin: .4rem 0; } small, figcaption, .muted { color: var(--muted); font-size: .875rem; }
.decision { background: var(--panel); border-left: .35rem solid var(--muted); border-radius: .4rem;
  padding: .8rem 1rem; }
.decision.good { border-color: var(--good); } .decision.bad { border-color: var(--bad); }
.decision strong { font-size: 1.2rem; } .good > strong, td.good { color: var(--good); }
.bad > strong, td.bad { color: var(--bad); }
.numbers { display: flex; flex-wrap: wrap; gap: .3rem 2rem; margin-top: .8rem; }
.numbers b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem 2rem; }
.lineage { columns: 22rem auto; column-gap: 2rem; } .lineage section { break-inside: avoid; padding-bottom: .6rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .925rem; }
th, td { padding: .25rem .7rem .25rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; } td.number, th.number { text-align: right; white-space: nowrap; }
table.matrix td, table.matrix thead th { text-align: center; padding: .25rem .4rem; min-width: 2.3rem; }
table.matrix td { background: color-mix(in srgb, var(--accent) calc(var(--share) * 45%), transparent); }
figure { margin: 0; } svg { width: 100%; height: auto; max-width: 34rem; display: block; }
svg text { font-size: 12px; fill: var(--text); } svg .grid { stroke: var(--line); } svg .muted { stroke: var(--muted); }
svg .mark { stroke: var(--accent); } svg .fill { fill: var(--accent); stroke: none; } svg * { fill: none; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.2rem, 1fr)); gap: .8rem; }
.pictures img { width: 100%; image-rendering: pixelated; border: 1px solid var(--line); display: block; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; font-size: .925rem; }
dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
@media print { :root { --text: #000; --page: #fff; --muted: #444; --panel: #fff; --line: #bbb; --accent: #1f5fa8;
  --good: #1a7f37; --bad: #b3261e; } body { max-width: none; padding: 0; font-size: 10pt; }
  h2 { break-after: avoid; } figure, tr, .decision { break-inside: avoid; } .scroll { overflow: visible; }
  * { print-color-adjust: exact; } }
"""

_PAGE = ENVIRONMENT.from_string("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'
{%- if script %}; script-src 'sha256-{{ script_digest }}'{% endif %}">
<title>{{ title }}</title>
<style>{{ style }}</style>
</head>
<body>
<h1>{{ title }}</h1>
{{ body }}
{% if script %}<script>{{ script }}</script>
{% endif %}
</body>
</html>
""")


def page(title: str, template: str, *, own_style: str = "", own_script: str = "", **values: Any) -> str:
    """A whole HTML document: a Jinja template for what stands below the title, and its values, escaped.

    Args:
        own_style, own_script: CSS and JavaScript of this page; no other script can run in it.
    """
    body = ENVIRONMENT.from_string(template).render(**values)
    return _PAGE.render(
        title=title,
        style=Markup(_STYLE + own_style),
        body=Markup(body),
        script=Markup(own_script),
        script_digest=base64.b64encode(hashlib.sha256(own_script.encode()).digest()).decode(),
    )


def picture(pixels: np.ndarray, largest: float) -> str:
    """A grey image (height, width), 0 shown white and `largest` black, as the `src` of an `img`."""
    grey = np.uint8(255) - np.clip(pixels / largest * 255, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
