"""Columns of words or codes: levels, names of rows, or text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .errors import SchemaError
from .findings import NotUsed
from .names import is_code, is_id
from .schema import Column
from .words import count_words, first_word, is_whole, natural, whole

MOST_LEVELS = 10_000
FEW_WORDS = 20  # this few different words are levels, even if most are numbers
_ROWS_PER_CODE = 5  # rows per value on average, for codes to be levels
_ROWS_PER_GROUP = 10  # rows per value on average, for names of groups to be levels
_TEXT_WORDS = 4  # words per cell on average, in free text


def find_category(name: str, array: pa.Array, why: str, *, is_stated: bool = False) -> Column:
    n_words = pc.count_distinct(array.dictionary if pa.types.is_dictionary(array.type) else array).as_py()
    if n_words > MOST_LEVELS:
        if is_stated:
            raise SchemaError(
                f"categorical_columns must have at most {MOST_LEVELS:,} levels each, got {n_words:,} in column {name!r}"
            )
        raise NotUsed(f"{n_words:,} different words, more than the {MOST_LEVELS:,} that can be levels")
    counts, n_missing = count_words(array)
    if not counts:
        raise NotUsed("has no values")
    if len(counts) == 1 and not n_missing:
        raise NotUsed(f"is always {next(iter(counts))!r}")
    if not is_stated and not pa.types.is_integer(array.type) and not pa.types.is_floating(array.type):
        _refuse_names(name, counts)
    levels = set(counts)
    if all(map(is_whole, levels)):
        levels = set(map(whole, levels))
    return Column(name, "category", why, n_missing, tuple(natural(levels)), example=first_word(array))


def _refuse_names(name: str, counts: dict[str, int]) -> None:
    """Leave out words that identify rows, and free text."""
    n, n_rows = len(counts), sum(counts.values())
    if n == n_rows and n > 2:
        raise NotUsed("identifies each row: no word occurs twice")
    if n <= FEW_WORDS:
        return
    if 2 * n > n_rows:
        if np.mean([word.count(" ") + 1 for word in counts]) >= _TEXT_WORDS:
            raise NotUsed(f"free text: {n:,} texts in {n_rows:,} rows")
        raise NotUsed(f"identifies nearly each row: {n:,} words in {n_rows:,} rows")
    if is_id(name) and n_rows < _ROWS_PER_GROUP * n:
        raise NotUsed(_belongs(name, n))


def _belongs(name: str, n: int) -> str:
    return (
        f"{n:,} groups of rows, judging by its name; if rows with the same one must stay together, "
        f"give group_column={name!r}"
    )


def code_reason(name: str, present: np.ndarray, values: np.ndarray) -> str:
    """Reason for integers to be levels; empty if they are not."""
    n_rows = len(present) / len(values)
    if n_rows == 1:
        if values[0] in (0, 1) and (np.diff(present) == 1).all():
            raise NotUsed("consecutive numbers, which identify each row")
        if is_id(name):
            raise NotUsed("identifies each row: by its name, and no number occurs twice")
    if is_id(name) and n_rows < _ROWS_PER_GROUP:
        raise NotUsed(_belongs(name, len(values)))
    if len(values) == 2:
        return "two whole numbers"
    if (is_id(name) or is_code(name)) and n_rows >= _ROWS_PER_CODE and len(values) <= MOST_LEVELS:
        return "codes, judging by its name"
    return ""
