"""Charts of an evaluation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from steps.report.svg import BOTTOM, RIGHT, TOP, WIDTH, axes, dot, label, line, scale, svg, x_scale, y_scale


def learning_curve(losses: Sequence[float]) -> Markup:
    """Training loss of each epoch, from epoch 1."""
    n = len(losses)
    x, y = x_scale(1, max(n, 2)), y_scale(0, max(losses) * 1.05)
    points = [(x(epoch), y(loss)) for epoch, loss in enumerate(losses, 1)]
    marks = line(points) + "".join(dot(*point, 2.2) for point in points)
    frame = axes(x, MaxNLocator(6, integer=True).tick_values(1, max(n, 2)), "epoch", y,
                 MaxNLocator(5).tick_values(0, max(losses)), "training loss")  # fmt: skip
    return svg(frame + marks, f"Training loss falls from {losses[0]:.3f} to {losses[-1]:.3f} over {n} epochs")


def calibration(confidence: np.ndarray, accuracy: np.ndarray, share: np.ndarray, error: float) -> Markup:
    """Accuracy against mean confidence of each bin; the area of a dot is the bin's share of all samples."""
    x, y = x_scale(0, 1), y_scale(0, 1)
    points = [(x(c), y(a)) for c, a in zip(confidence, accuracy, strict=True)]
    diagonal = f'<path class="muted" stroke-dasharray="4 4" d="M{x(0):.1f} {y(0):.1f}L{x(1):.1f} {y(1):.1f}"/>'
    dots = "".join(dot(*point, 2.5 + 9 * math.sqrt(s)) for point, s in zip(points, share, strict=True))
    ticks = np.linspace(0, 1, 6)
    frame = axes(x, ticks, "confidence", y, ticks, "accuracy")
    text = f"Accuracy against confidence in {len(points)} bins; the mean distance from the diagonal is {error:.4f}"
    return svg(frame + diagonal + line(points) + dots, text)


def error_intervals(rows: Sequence[tuple[str, float, float, float]], n: int) -> Markup:
    """Test error with its interval, one line per (name, accuracy, low, high), on a logarithmic axis.

    Args:
        n: Samples in the test split; no error in n is drawn at half an error.
    """
    least = 0.5 / n

    def log_error(accuracy: float) -> float:
        return math.log10(max(1 - accuracy, least))

    errors = [(name, log_error(middle), log_error(high), log_error(low)) for name, middle, low, high in rows]
    left, height = 150, TOP + 34 * len(rows) + BOTTOM
    low, high = min(error[2] for error in errors) - 0.1, max(error[3] for error in errors) + 0.1
    x = scale(low, high, left, WIDTH - RIGHT)
    ticks = [m * 10**e for e in range(-6, 1) for m in (1, 2, 5) if low <= math.log10(m * 10**e) <= high]
    marks = "".join(
        f'<path class="grid" d="M{x(math.log10(tick)):.1f} {TOP}V{height - BOTTOM}"/>'
        f'<text x="{x(math.log10(tick)):.1f}" y="{height - BOTTOM + 17}" text-anchor="middle">{100 * tick:g} %</text>'
        for tick in ticks[:: -(-len(ticks) // 5)]
    )
    for i, (name, middle, least_, most) in enumerate(errors):
        y = TOP + 34 * i + 17
        marks += f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{escape(name)}</text>'
        marks += f'<path class="mark" stroke-width="2" d="M{x(least_):.1f} {y}H{x(most):.1f}"/>' + dot(
            x(middle), y, 4.5
        )
    marks += label((left + WIDTH - RIGHT) / 2, height - 8, "test error, logarithmic, with its 95 % interval")
    spoken = "; ".join(f"{name} {100 * (1 - accuracy):.2f} %" for name, accuracy, *_ in rows)
    return svg(marks, f"Test error: {spoken}", height)
