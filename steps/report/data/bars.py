"""Small histograms as SVG; a page may have hundreds of them, which Matplotlib would draw for minutes."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

_HEIGHT, _STEP, _WIDTH = 40, 10, 9  # units of the SVG: height of the tallest bar, and the bars' distance and width


def bars(counts: Sequence[int], text: str) -> Markup:
    """A bar for each count.

    Args:
        counts: At least one above 0.
        text: Alternative text.
    """
    most = max(counts)
    heights = [max(1, round(_HEIGHT * count / most)) if count else 0 for count in counts]  # a single row is seen
    path = "".join(f"M{_STEP * i} {_HEIGHT}v-{height}h{_WIDTH}v{height}z" for i, height in enumerate(heights) if height)
    box = f"0 0 {_STEP * len(counts) - (_STEP - _WIDTH)} {_HEIGHT}"
    return Markup(
        '<svg class="bars" role="img" aria-label="{}" viewBox="{}" preserveAspectRatio="none"><path d="{}"/></svg>'
    ).format(text, box, path)
