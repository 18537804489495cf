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
