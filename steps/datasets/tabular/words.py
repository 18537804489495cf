"""Cells as words: spellings of missing values, codes, levels and booleans."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from .arrays import Cells, text

MISSING = frozenset(
    ("", "?", "-", "--", ".", "NA", "na", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN", "NaT", "NULL", "Null",
     "null", "None")
)  # fmt: skip
SPELLINGS = (("no", "yes"), ("false", "true"), ("f", "t"), ("n", "y"), ("0", "1"), ("off", "on"))
FALSE, TRUE = (frozenset(words) for words in zip(*SPELLINGS, strict=True))
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?")


def words(cells: Cells) -> tuple[np.ndarray, list[str | None]]:
    """The column as (n,) positions in a list of words, −1 for null; a word that marks a missing value is None.

    A word may occur at several positions, as surrounding spaces are stripped.
    """
    if isinstance(cells, list):
        return np.arange(len(cells)), [_word(value) for value in cells]
    if pa.types.is_null(cells.type):
        return np.full(len(cells), -1), []
    if not pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_encode()
    positions = cells.indices.fill_null(-1) if cells.null_count else cells.indices
    return positions.to_numpy(zero_copy_only=False), [_word(value) for value in cells.dictionary.to_pylist()]


def _word(value: Any) -> str | None:
    word = text(value)
    if word is None:
        return None
    word = word.strip()
    return None if word in MISSING else word


def is_whole(word: str) -> bool:
    """Return whether a word is an integer, including `007` and `7.0`."""
    return _WHOLE.fullmatch(word) is not None


def whole(word: str) -> str:
    """Canonical spelling of a word that is an integer; other words unchanged."""
    return str(int(word.partition(".")[0])) if is_whole(word) else word


def natural(words: Iterable[str]) -> list[str]:
    """Words in natural order: numbers by value, then other words alphabetically, with numbers inside them by value."""

    def key(word: str) -> tuple[Any, ...]:
        try:
            return (0, float(word), word)
        except ValueError:
            return (1, [(0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part.casefold())
                        for part in re.split(r"(\d+)", word) if part], word)  # fmt: skip

    return sorted(words, key=key)


class Levels:
    """Levels of a category, looked up by any spelling of a word.

    If all levels are integers, they are codes: `07`, `7` and `7.0` are the same level.

    Attributes:
        are_codes: Whether the levels are codes.
    """

    def __init__(self, levels: Sequence[str]) -> None:
        self._index = {level: i for i, level in enumerate(levels)}
        self.are_codes = bool(levels) and all(map(is_whole, levels))

    def index(self, word: str | None) -> int:
        """Position of the level, −1 for a missing or unseen word."""
        if word is None:
            return -1
        return self._index.get(whole(word) if self.are_codes else word, -1)

    def indices(self, cells: Cells) -> np.ndarray:
        """(n,) int32 positions of the levels, −1 for missing and unseen ones."""
        positions, found = words(cells)
        indices: np.ndarray = np.array([*map(self.index, found), -1], np.int32)[positions]
        return indices


def truth(word: str | None) -> bool | None:
    """A boolean in any of its spellings; None for another word or a missing one."""
    if word is None:
        return None
    word = whole(word).casefold()
    return True if word in TRUE else False if word in FALSE else None


def count_words(cells: Cells) -> tuple[dict[str, int], int]:
    """Number of rows per word, in order of first occurrence, and number of rows without one."""
    positions, found = words(cells)
    numbers = np.bincount(positions[positions >= 0], minlength=len(found)).tolist()
    counts: dict[str, int] = {}
    for word, n in zip(found, numbers, strict=True):
        if word is not None and n:
            counts[word] = counts.get(word, 0) + n
    return counts, len(cells) - sum(counts.values())


def first_word(array: pa.Array) -> str:
    """The first word, shortened; empty if there is none."""
    for start in range(0, len(array), 100):
        positions, found = words(array.slice(start, 100))
        present = [found[i] for i in positions.tolist() if i >= 0 and found[i] is not None]
        if present:
            word = str(present[0])
            return word if len(word) <= 30 else f"{word[:29]}…"
    return ""
