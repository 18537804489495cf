"""The kind of a column, from its name and its values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .arrays import text
from .categories import FEW_WORDS, MOST_LEVELS, code_reason, find_category
from .date_formats import find_date_format
from .dates import UNIX_UNITS, local, part, seconds
from .errors import SchemaError
from .findings import NotUsed, refuse
from .names import is_unix_time
from .number_formats import find_number_format
from .schema import Column, LeftOut
from .values import Fault, read_dates, read_numbers
from .words import SPELLINGS, count_words, first_word, is_whole, truth, whole

ALMOST_ALL = 0.95  # share of the cells that decides the kind; the others are then faults
_MANY = 0.5  # share of numbers from which words among them are worth a warning
_SAMPLE = 2_000  # cells that decide the kind of a column with more different words than a category may have
_UNIX = (1e8, 4.2e9)  # seconds of the years 1973 and 2103


def find_column(name: str, array: pa.Array, stated: str, warnings: list[str]) -> Column | LeftOut:
    """The column with its kind and the reason for it, or the reason to leave it out.

    Args:
        stated: `category` or `date` if the user declared it, else empty.
        warnings: Collects lines for people.

    Raises:
        SchemaError: A few cells do not fit the others, or the declared kind is impossible.
    """
    try:
        if stated == "category":
            return find_category(name, array, "named in categorical_columns", is_stated=True)
        if stated == "date":
            return _date(name, array, _stated_format(name, array, warnings), "named in date_columns")
        return _found(name, array, warnings)
    except NotUsed as reason:
        return LeftOut(name, str(reason))


def _found(name: str, array: pa.Array, warnings: list[str]) -> Column:
    kind = array.type
    if array.null_count == len(array):
        raise NotUsed("has no values")
    if pa.types.is_boolean(kind):
        return _boolean(name, array, dict.fromkeys(("False", "True"), 1))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _date(name, array, "", "dates")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _number(name, array, "")
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        raise NotUsed("times of day or durations; to use them, write them as numbers")
    return _words(name, array, warnings)


def _words(name: str, array: pa.Array, warnings: list[str]) -> Column:
    is_long = pc.count_distinct(array.dictionary if pa.types.is_dictionary(array.type) else array).as_py() > MOST_LEVELS
    counts, n_missing = count_words(array.slice(0, _SAMPLE) if is_long else array)
    if not counts:
        raise NotUsed("has no values")
    if not is_long and len(counts) == 1 and not n_missing:
        raise NotUsed(f"is always {next(iter(counts))!r}")
    if not is_long and _are_booleans(counts):
        return _boolean(name, array, counts)
    written = find_number_format(counts, ALMOST_ALL)
    if written is not None and (len(counts) > FEW_WORDS or find_number_format(counts, 1.0) is not None):
        return _number(name, array, written)
    dates = find_date_format(list(counts), ALMOST_ALL)
    if dates is not None:
        if dates.is_ambiguous:
            warnings.append(_ambiguous(name, dates.format))
        return _date(name, array, dates.format, f"dates written {dates.format}" if dates.format else "dates")
    column = find_category(name, array, "words")
    if len(counts) > FEW_WORDS and find_number_format(counts, _MANY) is not None:
        warnings.append(f"column {name!r} has words among its numbers; treated as words")
    return column


def _number(name: str, array: pa.Array, written: str) -> Column:
    column = Column(name, "number", format=written)
    faults: list[Fault] = []
    numbers = read_numbers(column, array, faults)
    refuse(faults)
    present = numbers[~np.isnan(numbers)]
    values = np.unique(present)
    if not len(values):
        raise NotUsed("has no values")
    n_missing = len(numbers) - len(present)
    if len(values) == 1 and not n_missing:
        raise NotUsed(f"is always {text(float(values[0]))}")
    if len(values) == 2 and values.tolist() == [0, 1]:
        return _boolean(name, array, {"0": 1, "1": 1})
    if is_unix_time(name) and (unit := _unix_unit(values)):
        return _date(name, array, unit, "seconds since 1970, judging by its name")
    is_whole_ = bool((values % 1 == 0).all())
    if is_whole_ and (why := code_reason(name, present, values)):
        return find_category(name, array, why)
    return replace(
        column, why="whole numbers" if is_whole_ else "numbers", n_missing=n_missing, low=float(values[0]),
        high=float(values[-1]), example=first_word(array),
    )  # fmt: skip


def _boolean(name: str, array: pa.Array, counts: dict[str, int]) -> Column:
    column = Column(name, "boolean", example=first_word(array))
    _, n_missing = count_words(array)
    no, yes = (next((word for word in counts if truth(word) is is_), "") for is_ in (False, True))
    if pc.count_distinct(array).as_py() == 1 and not n_missing:
        raise NotUsed(f"is always {column.example!r}")
    why = f"only {' and '.join(word for word in (no, yes) if word)}"
    return replace(column, why=why, n_missing=n_missing, levels=(no, yes))


def _date(name: str, array: pa.Array, written: str, why: str) -> Column:
    zone = (array.type.tz if pa.types.is_timestamp(array.type) else None) or ""
    column = Column(name, "date", why, example=first_word(array), format=written, zone=zone)
    faults: list[Fault] = []
    dates = read_dates(column, array, faults)
    refuse(faults)
    present = dates[~np.isnat(dates)]
    if not len(present):
        raise NotUsed("has no values")
    times = seconds(present)
    n_missing = len(dates) - len(present)
    if times.min() == times.max() and not n_missing:
        raise NotUsed(f"is always {column.example}")
    clock = np.unique(local(present, zone))
    varying = tuple(name for name in ("month", "weekday", "hour") if _varies(clock, name))
    return replace(column, n_missing=n_missing, low=float(times.min()), high=float(times.max()), parts=varying)


def _varies(clock: np.ndarray, name: str) -> bool:
    values = part(clock, name)
    return bool(values.min() != values.max())


def _stated_format(name: str, array: pa.Array, warnings: list[str]) -> str:
    kind = array.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return ""
    counts, _ = count_words(array)
    if not counts:
        raise NotUsed("has no values")
    found = find_date_format(list(counts), ALMOST_ALL, is_stated=True)
    if found is not None:
        if found.is_ambiguous:
            warnings.append(_ambiguous(name, found.format))
        return found.format
    if all(map(is_whole, counts)) and (unit := _unix_unit(np.array([float(word) for word in counts]))):
        return unit
    raise SchemaError(f"date_columns must hold dates, got {next(iter(counts))!r} in column {name!r}")


def _ambiguous(name: str, written: str) -> str:
    return f"column {name!r} could have day and month swapped; read as {written}"


def _unix_unit(values: np.ndarray) -> str:
    """`unix s` or `unix ms` if the numbers are plausible present-day times in that unit, else empty."""
    for unit, scale in UNIX_UNITS.items():
        if values.min() * scale / 1e6 >= _UNIX[0] and values.max() * scale / 1e6 <= _UNIX[1]:
            return unit
    return ""


def _are_booleans(counts: dict[str, int]) -> bool:
    found = {whole(word).casefold() for word in counts}
    truths = {truth(word) for word in found}
    if None in truths or len(found) == 1:
        return None not in truths
    return len(truths) == 2 and (len(found) > 2 or any(found == set(pair) for pair in SPELLINGS))
