"""Parts of small SVG charts that take their colours from the page: right in light, in dark and on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape

from markupsafe import Markup

WIDTH, HEIGHT = 440, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 12, 46
Scale = Callable[[float], float]


def scale(low: float, high: float, start: float, end: float) -> Scale:
    """Maps [low, high] to [start, end]."""
    return lambda value: start + (value - low) / ((high - low) or 1) * (end - start)


def x_scale(low: float, high: float) -> Scale:
    return scale(low, high, LEFT, WIDTH - RIGHT)


def y_scale(low: float, high: float) -> Scale:
    return scale(low, high, HEIGHT - BOTTOM, TOP)


def axes(x: Scale, x_ticks: Iterable[float], x_label: str, y: Scale, y_ticks: Iterable[float], y_label: str) -> str:
    """Grid, tick labels and names; ticks outside the chart are left out."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [
        f'<path class="grid" d="M{LEFT} {y(tick):.1f}H{right}"/>'
        f'<text x="{LEFT - 7}" y="{y(tick) + 4:.1f}" text-anchor="end">{_tick(tick)}</text>'
        for tick in y_ticks
        if TOP - 1 <= y(tick) <= bottom + 1
    ]
    parts += [
        f'<text x="{x(tick):.1f}" y="{bottom + 17}" text-anchor="middle">{_tick(tick)}</text>'
        for tick in x_ticks
        if LEFT - 1 <= x(tick) <= right + 1
    ]
    middle = (TOP + bottom) / 2
    parts.append(label((LEFT + right) / 2, HEIGHT - 8, x_label))
    parts.append(f'<g transform="rotate(-90 12 {middle})">{label(12, middle + 2, y_label)}</g>')
    return "".join(parts)


def _tick(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:g}"


def line(points: Sequence[tuple[float, float]]) -> str:
    return f'<path class="mark" stroke-width="2" stroke-linejoin="round" d="{polyline(points)}"/>'


def polyline(points: Sequence[tuple[float, float]]) -> str:
    """Data of a path through all points."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def dot(x: float, y: float, radius: float) -> str:
    return f'<circle class="fill" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'


def label(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(text)}</text>'


def svg(content: str, text: str, height: float = HEIGHT) -> Markup:
    """The whole chart; `text` is what is read aloud instead of it."""
    return Markup(f'<svg role="img" aria-label="{escape(text)}" viewBox="0 0 {WIDTH} {height}">{content}</svg>')
