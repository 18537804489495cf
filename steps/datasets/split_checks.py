"""Checks for splits that a model cannot learn from or be tested on; each error says what to do."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from steps.base.errors import InputError
from steps.datasets.request import DataRequest
from steps.datasets.row_facts import RowFacts


def check_stated(stated: Mapping[str, np.ndarray], facts: RowFacts, request: DataRequest) -> None:
    """Refuse splits named by the table that cut a group or are not in order of time.

    Raises:
        InputError: They are.
    """
    names = [*stated]
    for i, name in enumerate(names):
        for later in names[i + 1 :]:
            if request.group_column and len(
                shared := np.intersect1d(facts.groups[stated[name]], facts.groups[stated[later]])
            ):
                raise InputError(
                    f"group_column and split_column must not contradict each other: {len(shared):,} groups of "
                    f"{request.group_column!r} are in {name} and in {later}; give one of the two"
                )
            if facts.times is not None and facts.times[stated[name]].max() > facts.times[stated[later]].min():
                raise InputError(
                    f"time_column and split_column must not contradict each other: some rows of {name} are later in "
                    f"{request.time_column!r} than some of {later}; give one of the two"
                )


def check_classes(
    parts: Mapping[str, np.ndarray], targets: np.ndarray, class_names: tuple[str, ...], request: DataRequest
) -> None:
    """Refuse splits whose training rows lack a class, or one of which has a single class.

    Raises:
        InputError: They do.
    """
    counts = np.array([np.bincount(targets[rows], minlength=len(class_names)) for rows in parts.values()])
    for name, of_split in zip(parts, counts, strict=True):
        n_needed = len(class_names) if name == "train" else 2
        if (of_split > 0).sum() >= n_needed:
            continue
        lacking = int(np.argmin(of_split))
        what = f"class {class_names[lacking]!r}, of {int(counts[:, lacking].sum()):,} rows, has none in {name}"
        if request.split_column:
            raise InputError(f"split_column must leave each class some rows for {name}, but {what}; correct the column")
        if request.time_column:
            raise InputError(
                f"time_column must leave each class some rows for {name}, but {what}; leave the class out, or split "
                f"without time_column"
            )
        if request.group_column:
            raise InputError(
                f"group_column must leave each class some groups for {name}, but {what}; join classes, or split "
                f"without group_column"
            )
        raise InputError(
            f"target must have different rows of each class for each split, but {what}; leave the class out, or join "
            f"classes"
        )
