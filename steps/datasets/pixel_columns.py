"""The columns of a table of pixels: the one with the classes, and the order of the others."""

from __future__ import annotations

import re
from collections.abc import Sequence

LABELS = ("label", "class", "target", "digit")
_NUMBERED = re.compile(r"(.*?)(\d+)")


def label_column(names: Sequence[str]) -> int | None:
    """Position of the column with the classes, by its name; None if there is none."""
    return next((i for i, name in enumerate(names) if name.casefold() in LABELS), None)


def in_order(names: Sequence[str]) -> list[int]:
    """Positions of the columns in the order of their pixels.

    Columns of one name with consecutive numbers (`pixel0`, `pixel1`, …) stand in the order of the numbers, all others
    as they are: their names do not say which pixel they hold.
    """
    found = [_NUMBERED.fullmatch(name) for name in names]
    numbers = [int(match[2]) for match in found if match]
    is_numbered = len(numbers) == len(names) and len({match[1] for match in found if match}) == 1
    if not is_numbered or sorted(numbers) != list(range(min(numbers), min(numbers) + len(numbers))):
        return list(range(len(names)))
    return sorted(range(len(names)), key=lambda i: numbers[i])


def pixel_columns(names: Sequence[str], n_pixels: int) -> list[int]:
    """Positions of the pixels in their order, without other columns beside numbered ones.

    Args:
        names: All columns but that of the classes.
        n_pixels: Number of columns to find; all are returned if no numbered ones are that many.
    """
    if len(names) > n_pixels:
        found = [_NUMBERED.fullmatch(name) for name in names]
        for prefix in dict.fromkeys(match[1] for match in found if match):
            numbered = [i for i, match in enumerate(found) if match and match[1] == prefix]
            if len(numbered) == n_pixels:
                return [numbered[i] for i in in_order([names[i] for i in numbered])]
    return in_order(names)
