"""Small SVG charts that take their colours from the page, so that they are right in light, in dark and on paper."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

_WIDTH, _HEIGHT = 440, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 12, 46


def learning_curve(losses: Sequence[float]) -> Markup:
    """Training loss of each epoch, from epoch 1."""
    n = len(losses)
    x, y = _scale(1, max(n, 2), _LEFT, _WIDTH - _RIGHT), _scale(0, max(losses) * 1.05, _HEIGHT - _BOTTOM, _TOP)
    points = [(x(epoch), y(loss)) for epoch, loss in enumerate(losses, 1)]
    marks = _line(points) + "".join(_dot(*point, 2.2) for point in points)
    axes = _axes(x, MaxNLocator(6, integer=True).tick_values(1, max(n, 2)), "epoch", y,
                 MaxNLocator(5).tick_values(0, max(losses)), "training loss")  # fmt: skip
    return _svg(axes + marks, f"Training loss falls from {losses[0]:.3f} to {losses[-1]:.3f} over {n} epochs")


def calibration(confidence: np.ndarray, accuracy: np.ndarray, share: np.ndarray, error: float) -> Markup:
    """Accuracy against mean confidence of each bin; the area of a dot is the bin's share of all samples."""
    x, y = _scale(0, 1, _LEFT, _WIDTH - _RIGHT), _scale(0, 1, _HEIGHT - _BOTTOM, _TOP)
    points = [(x(c), y(a)) for c, a in zip(confidence, accuracy, strict=True)]
    diagonal = f'<path class="muted" stroke-dasharray="4 4" d="M{x(0):.1f} {y(0):.1f}L{x(1):.1f} {y(1):.1f}"/>'
    dots = "".join(_dot(*point, 2.5 + 9 * math.sqrt(s)) for point, s in zip(points, share, strict=True))
    ticks = np.linspace(0, 1, 6)
    axes = _axes(x, ticks, "confidence", y, ticks, "accuracy")
    text = f"Accuracy against confidence in {len(points)} bins; the mean distance from the diagonal is {error:.4f}"
    return _svg(axes + diagonal + _line(points) + dots, text)


def error_intervals(rows: Sequence[tuple[str, float, float, float]], n: int) -> Markup:
    """Test error with its interval, one line per (name, accuracy, low, high), on a logarithmic axis.

    Args:
        n: Samples in the test split; no error in n is drawn at half an error.
    """
    least = 0.5 / n

    def log_error(accuracy: float) -> float:
        return math.log10(max(1 - accuracy, least))

    errors = [(name, log_error(middle), log_error(high), log_error(low)) for name, middle, low, high in rows]
    left, height = 150, _TOP + 34 * len(rows) + _BOTTOM
    low, high = min(error[2] for error in errors) - 0.1, max(error[3] for error in errors) + 0.1
    x = _scale(low, high, left, _WIDTH - _RIGHT)
    ticks = [m * 10**e for e in range(-6, 1) for m in (1, 2, 5) if low <= math.log10(m * 10**e) <= high]
    marks = "".join(
        f'<path class="grid" d="M{x(math.log10(tick)):.1f} {_TOP}V{height - _BOTTOM}"/>'
        f'<text x="{x(math.log10(tick)):.1f}" y="{height - _BOTTOM + 17}" text-anchor="middle">{100 * tick:g} %</text>'
        for tick in ticks[:: -(-len(ticks) // 5)]
    )
    for i, (name, middle, least_, most) in enumerate(errors):
        y = _TOP + 34 * i + 17
        marks += f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{escape(name)}</text>'
        marks += f'<path class="mark" stroke-width="2" d="M{x(least_):.1f} {y}H{x(most):.1f}"/>' + _dot(
            x(middle), y, 4.5
        )
    marks += _label((left + _WIDTH - _RIGHT) / 2, height - 8, "test error, logarithmic, with its 95 % interval")
    spoken = "; ".join(f"{name} {100 * (1 - accuracy):.2f} %" for name, accuracy, *_ in rows)
    return _svg(marks, f"Test error: {spoken}", height)


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    return lambda value: start + (value - low) / ((high - low) or 1) * (end - start)


def _axes(
    x: Callable[[float], float], x_ticks: Iterable[float], x_label: str,
    y: Callable[[float], float], y_ticks: Iterable[float], y_label: str,
) -> str:  # fmt: skip
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = [
        f'<path class="grid" d="M{_LEFT} {y(tick):.1f}H{right}"/>'
        f'<text x="{_LEFT - 7}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
        for tick in y_ticks
        if _TOP - 1 <= y(tick) <= bottom + 1
    ]
    parts += [
        f'<text x="{x(tick):.1f}" y="{bottom + 17}" text-anchor="middle">{tick:g}</text>'
        for tick in x_ticks
        if _LEFT - 1 <= x(tick) <= right + 1
    ]
    middle = (_TOP + bottom) / 2
    parts.append(_label((_LEFT + right) / 2, _HEIGHT - 8, x_label))
    parts.append(f'<g transform="rotate(-90 12 {middle})">{_label(12, middle + 2, y_label)}</g>')
    return "".join(parts)


def _line(points: Sequence[tuple[float, float]]) -> str:
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="mark" stroke-width="2" stroke-linejoin="round" d="M{path}"/>'


def _dot(x: float, y: float, radius: float) -> str:
    return f'<circle class="fill" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'


def _label(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(text)}</text>'


def _svg(content: str, text: str, height: float = _HEIGHT) -> Markup:
    return Markup(f'<svg role="img" aria-label="{escape(text)}" viewBox="0 0 {_WIDTH} {height}">{content}</svg>')
