"""Inference of the task from the values of the target."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .arrays import Cells, as_array
from .classes import alike, check_classes, positive_of
from .errors import SchemaError
from .kinds import ALMOST_ALL
from .names import nearest
from .number_formats import find_number_format
from .schema import Column
from .target import Target
from .values import Fault, read_numbers
from .words import count_words, is_whole, natural, whole, words

_FEW_CLASSES = 20  # with more different values, integers are numbers
_ROWS_PER_CLASS = 10  # rows per value on average, for integers to be classes
_SKEWED = 1.0  # skewness from which log(1 + x) is tried; an exponential distribution has 2


@dataclass(frozen=True)
class Labels:
    """The target of a table.

    Attributes:
        target: With the statistics of all rows that have a target.
        values: (n,) of these rows: int32 class numbers, or float32 numbers in the target's own units.
        rows: (n,) positions of these rows in the table.
        n_missing: Number of rows without a target.
        warnings: Lines for people.
    """

    target: Target
    values: np.ndarray
    rows: np.ndarray
    n_missing: int
    warnings: tuple[str, ...] = ()


def find_target(name: str, cells: Cells, task: str = "auto", positive_class: str = "") -> Labels:
    """Infer the task, and read the targets of the rows.

    Args:
        task: `classification`, `regression`, or `auto` to infer it from the values.
        positive_class: One of two classes; empty for the default.

    Raises:
        SchemaError: The values cannot be a target, or not one of the given task.
    """
    array = as_array(cells, name)
    if pa.types.is_temporal(array.type):
        raise SchemaError(f"target must hold classes or numbers, got {array.type} in column {name!r}")
    written = _number_format(name, array)
    numbers = None if written is None else read_numbers(Column(name, "number", format=written), array)
    found, why = _task(array, numbers)
    if task not in ("auto", found):
        if numbers is None:
            raise SchemaError(f"task must be {found} for a target of words, got {task}; {_first_word(array)}")
        found, why = task, "stated"
    if found == "classification":
        return _classification(name, array, positive_class, why)
    if positive_class:
        raise SchemaError(f"positive_class must be empty for a target of numbers, got {positive_class!r}")
    return _regression(name, numbers if numbers is not None else np.empty(0), why)


def read_target(target: Target, cells: Cells, faults: list[Fault] | None = None) -> np.ndarray:
    """(n,) targets of other rows: int32 class numbers, −1 if missing; or float32 numbers, NaN if missing.

    Args:
        faults: Collects invalid cells, which count as missing; without it, the first one raises.

    Raises:
        SchemaError: A cell is not a class of the target, or is a word instead of a number.
    """
    array = as_array(cells, target.name)
    if not target.class_names:
        if _is_empty(array):
            return np.full(len(array), np.nan, np.float32)
        written = _number_format(target.name, array) or ""
        numbers = read_numbers(Column(target.name, "number", format=written), array, faults)
        return numbers.astype(np.float32)
    positions, found = words(array)
    index = {class_name: i for i, class_name in enumerate(target.class_names)}
    are_whole = all(map(is_whole, target.class_names))
    classes = [-1 if word is None else index.get(whole(word) if are_whole else word, len(index)) for word in found]
    values: np.ndarray = np.array([*classes, -1], np.int32)[positions]
    for row in np.flatnonzero(values == len(index)).tolist():
        word = str(array[row].as_py())
        rule = f"must hold classes of the target, got {word!r}"
        if faults is None:
            raise SchemaError(f"column {target.name!r} {rule} in row {row + 1}{nearest(word, target.class_names)}")
        faults.append(Fault(target.name, row, rule))
    return np.where(values == len(index), -1, values)


def fitted(target: Target, values: np.ndarray) -> Target:
    """The target with range, mean and standard deviation of training rows; a target of classes unchanged.

    Args:
        values: (n,) targets of the training rows.
    """
    if target.class_names:
        return target
    numbers = values.astype(float)
    target = replace(
        target, low=float(numbers.min()), high=float(numbers.max()), mean=float(numbers.mean()),
        std=float(numbers.std()) or 1.0, is_skewed=False, log_mean=0.0, log_std=1.0,
    )  # fmt: skip
    if target.low < 0 or _skewness(numbers) < _SKEWED:
        return target
    logs = np.log1p(numbers)
    if abs(_skewness(logs)) >= _skewness(numbers):
        return target
    return replace(target, is_skewed=True, log_mean=float(logs.mean()), log_std=float(logs.std()) or 1.0)


def _skewness(numbers: np.ndarray) -> float:
    """The third standardised moment; 0 for a constant."""
    centred = numbers - numbers.mean()
    spread = float(np.sqrt((centred**2).mean()))
    return float(((centred / spread) ** 3).mean()) if spread > 0 else 0.0


def _number_format(name: str, array: pa.Array) -> str | None:
    """Format of the target's numbers; None for words.

    Raises:
        SchemaError: There are no values.
    """
    kind = array.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        if _is_empty(array):
            raise _no_values(name)
        return ""
    if pa.types.is_boolean(kind):
        return ""
    counts, _ = count_words(array)
    if not counts:
        raise _no_values(name)
    return find_number_format(counts, ALMOST_ALL if len(counts) > _FEW_CLASSES else 1.0)


def _is_empty(array: pa.Array) -> bool:
    """Return whether all values are missing."""
    kind = array.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pc.all(pc.is_null(array, nan_is_null=True)).as_py() is True
    return not count_words(array)[0]


def _no_values(name: str) -> SchemaError:
    return SchemaError(f"target must have values, got only missing ones in column {name!r}")


def _first_word(array: pa.Array) -> str:
    positions, found = words(array)
    for row, position in enumerate(positions.tolist()):
        word = found[position] if position >= 0 else None
        if word is not None and find_number_format({word: 1}, 1.0) is None:
            return f"row {row + 1} has {word!r}"
    return "its numbers are codes with zeros in front"


def _task(array: pa.Array, numbers: np.ndarray | None) -> tuple[str, str]:
    if numbers is None:
        return "classification", "its values are words"
    if pa.types.is_boolean(array.type):
        return "classification", "its values are true and false"
    present = numbers[~np.isnan(numbers)]
    values = np.unique(present)
    if (values % 1 == 0).all() and (
        len(values) <= 2 or (len(values) <= _FEW_CLASSES and len(present) >= _ROWS_PER_CLASS * len(values))
    ):
        return "classification", f"its values are {len(values)} different whole numbers"
    return "regression", f"its values are {len(values):,} different numbers"


def _classification(name: str, array: pa.Array, positive_class: str, why: str) -> Labels:
    positions, found = words(array)
    if all(word is None or is_whole(word) for word in found):
        found = [None if word is None else whole(word) for word in found]
    present = np.array([*(word is not None for word in found), False])[positions]
    names = tuple(natural({word for word in found if word is not None}))
    index = {class_name: i for i, class_name in enumerate(names)}
    values = np.array([*(-1 if word is None else index[word] for word in found), -1], np.int32)[positions]
    rows = np.flatnonzero(present)
    counts = np.bincount(values[rows], minlength=len(names))
    check_classes(name, names, counts, values)
    return Labels(
        Target("classification", name, names, positive_of(names, counts, positive_class), why=why),
        values[rows], rows, len(values) - len(rows), alike(name, names),
    )  # fmt: skip


def _regression(name: str, numbers: np.ndarray, why: str) -> Labels:
    rows = np.flatnonzero(~np.isnan(numbers))
    values = numbers[rows].astype(np.float32)
    if values.min() == values.max():
        raise SchemaError(f"target must vary, got {values[0]:g} in all {len(rows):,} rows of {name!r}")
    target = fitted(Target("regression", name, why=why), values)
    return Labels(target, values, rows, len(numbers) - len(rows))
