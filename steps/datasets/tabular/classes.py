"""Classes of a target."""

from __future__ import annotations

import numpy as np

from .categories import MOST_LEVELS
from .errors import SchemaError
from .values import parse_number
from .words import TRUE, whole

_POSITIVE = TRUE | {"positive", "pos", "present", "+"}


def check_classes(name: str, names: tuple[str, ...], counts: np.ndarray, values: np.ndarray) -> None:
    """Refuse a target with a single class, with words that identify rows, or with a class that occurs only once.

    Args:
        counts: (n_classes,) rows of each class.
        values: (n,) class numbers of all rows, −1 without a target.

    Raises:
        SchemaError: The target is one of these.
    """
    n_rows = int(counts.sum())
    if len(names) == 1:
        raise SchemaError(f"target must have several classes, got {names[0]!r} in all {n_rows:,} rows of {name!r}")
    if 2 * len(names) > n_rows or len(names) > MOST_LEVELS:
        if not np.isnan([parse_number(class_name) for class_name in names]).any():
            raise SchemaError(
                f"task must be regression for a target with {len(names):,} different numbers in {n_rows:,} rows, got "
                f"'classification' for {name!r}"
            )
        raise SchemaError(
            f"target must hold classes or numbers, got {len(names):,} different words in {n_rows:,} rows of {name!r}"
        )
    if (counts == 1).any():
        single = int(np.argmax(counts == 1))
        more = f", and {int((counts == 1).sum()) - 1} more such classes" if (counts == 1).sum() > 1 else ""
        raise SchemaError(
            f"target must have each class at least twice, got {names[single]!r} only in row "
            f"{int(np.argmax(values == single)) + 1} of {name!r}{more}; leave such rows out or join classes"
        )


def positive_of(names: tuple[str, ...], counts: np.ndarray, stated: str) -> str:
    """The given one of two classes; by default the one that means yes, else the rarer one."""
    if len(names) != 2:
        if stated:
            raise SchemaError(f"positive_class must be empty for {len(names)} classes, got {stated!r}")
        return ""
    if stated:
        by_fold = {whole(class_name).casefold(): class_name for class_name in names}
        matches = [class_name for class_name in names if class_name == stated]
        matches += [by_fold[word] for word in [whole(stated.strip()).casefold()] if word in by_fold]
        if not matches:
            raise SchemaError(f"positive_class must be {names[0]!r} or {names[1]!r}, got {stated!r}")
        return matches[0]
    saying_yes = [class_name for class_name in names if class_name.casefold() in _POSITIVE]
    if len(saying_yes) == 1:
        return saying_yes[0]
    return names[0] if counts[0] < counts[1] else names[1]


def alike(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """A line for people per pair of classes that differ in capitalization only."""
    first: dict[str, str] = {}
    lines = []
    for class_name in names:
        other = first.setdefault(class_name.casefold(), class_name)
        if other != class_name:
            lines.append(f"the classes {other!r} and {class_name!r} of {name!r} differ in capital letters only")
    return tuple(lines)
