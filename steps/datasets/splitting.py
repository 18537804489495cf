"""Splits of a table into training, validation and test rows: at random, by group, by time, or named by the table."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from steps.base.errors import InputError
from steps.datasets.copies import row_keys
from steps.datasets.request import DataRequest
from steps.datasets.row_facts import read_facts
from steps.datasets.split_checks import check_classes, check_stated
from steps.datasets.tabular.inference import Inference
from steps.datasets.units import cut, deal, hold_out, join_units, numbered, strata_of

TEST_SEED = 0  # The test split does not depend on the seed, so that versions can be compared.
_LEAST_ROWS = 10

Fold = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class RowSplit:
    """Rows of each split.

    Attributes:
        rows: For `train`, `validation` and `test` (unless it is a table of its own), positions in `Labels.rows`.
        notes: Remarks for people, a sentence each.
        are_copies: Whether equal rows are copies; see `RowFacts`.
    """

    rows: dict[str, np.ndarray]
    notes: tuple[str, ...]
    are_copies: bool


class RowSplitter:
    """Splits the rows of a table that have a target; equal rows are never in two splits.

    Held-out rows are drawn from each class, or from each range of a numeric target: in whole groups if there are any,
    or as the last rows in time. Splits named by the table are kept.

    Args:
        table: The table that was given to `infer`.
        test: Separate table of the test rows, and (n,) their targets.

    Raises:
        InputError: There are too few rows, or a column cannot define a split.
    """

    def __init__(
        self, table: pa.Table, found: Inference, request: DataRequest, test: tuple[pa.Table, np.ndarray] | None = None
    ) -> None:
        if len(found.labels.rows) < _LEAST_ROWS:
            raise InputError(
                f"dataset must have {_LEAST_ROWS} rows with a target or more, got {len(found.labels.rows)}"
            )
        self._request, self._targets = request, found.labels.values
        self._class_names = found.labels.target.class_names
        self._facts = facts = read_facts(table, found, request)
        self._with_test = test is None
        if test is not None and "test" in facts.stated:
            raise InputError("test_dataset must be empty if split_column names test rows")
        self._test_keys = row_keys(found.schema, *test) if test and facts.are_copies else np.empty(0, np.uint64)
        # Splits by time leave copies out of the earlier split; other splits keep them together.
        self._units = facts.groups
        if not request.time_column:
            self._units = join_units(facts.groups, facts.keys) if request.group_column else facts.keys

    def split(self, *, with_validation: bool = True) -> RowSplit:
        """The rows of each split.

        Args:
            with_validation: Whether there is a validation split; without it, its rows are training rows.

        Raises:
            InputError: A split would lack a class, or two columns contradict each other.
        """
        stated: dict[str, np.ndarray] = dict(self._facts.stated)
        check_stated(stated, self._facts, self._request)
        rest = stated.pop("train", np.arange(len(self._targets)))
        if self._with_test and "test" not in stated:
            is_held = self._hold_out(rest, self._request.test_fraction, TEST_SEED)
            stated["test"], rest = rest[is_held], rest[~is_held]
        if with_validation and "validation" not in stated:
            is_held = self._hold_out(rest, self._request.validation_fraction, self._request.seed)
            stated["validation"], rest = rest[is_held], rest[~is_held]
        parts = {"train": rest} | {name: stated[name] for name in ("validation", "test") if name in stated}
        kept = self._without_copies(parts)
        if self._class_names:
            check_classes(kept, self._targets, self._class_names, self._request)
        n_left_out = sum(len(parts[name]) - len(kept[name]) for name in parts)
        return RowSplit(kept, self._notes(n_left_out), self._facts.are_copies)

    def most_folds(self, rows: np.ndarray) -> int:
        """Largest number of folds such that each fold can have all classes."""
        return int(self._units_of_classes(rows).min()) if self._class_names else len(np.unique(self._units[rows]))

    def folds(self, rows: np.ndarray, n_folds: int) -> list[Fold]:
        """Positions in `Labels.rows` of the training and the validation rows of each fold.

        With a time column, a fold is validated on the rows that follow its training rows.

        Args:
            rows: Positions in `Labels.rows`: those of all splits but the test split.

        Raises:
            InputError: A fold would lack a class, or there are no such cuts in time.
        """
        if "validation" in self._facts.stated:
            raise InputError(f"folds must be 1 if split_column names validation rows, got {n_folds}")
        if self._request.time_column:
            return self._folds_in_time(rows, n_folds)
        if (most := self.most_folds(rows)) < n_folds:
            scarce, way_on = "", ""
            if self._class_names:
                scarce = f" of class {self._class_names[int(np.argmin(self._units_of_classes(rows)))]!r}"
                way_on = ", or join classes"
            units = "groups" if self._request.group_column else "different rows"
            raise InputError(
                f"folds must be at most {most}, got {n_folds}: there are {most} {units}{scarce} outside the test "
                f"split; give folds={most}{way_on}"
            )
        random = np.random.default_rng(self._request.seed)
        fold_of = deal(strata_of(self._targets[rows]), numbered(self._units[rows]), n_folds, random)
        return [(rows[fold_of != i], rows[fold_of == i]) for i in range(n_folds)]

    def _folds_in_time(self, rows: np.ndarray, n_folds: int) -> list[Fold]:
        shares = [(n_folds - i) / (n_folds + 1) for i in range(n_folds)]
        lates = [*(self._hold_out(rows, share, 0) for share in shares), np.zeros(len(rows), bool)]
        folds = []
        for late, later in pairwise(lates):
            parts = self._without_copies({"train": rows[~late], "validation": rows[late & ~later]})
            if not all(map(len, parts.values())):
                raise InputError(
                    f"folds must be fewer, got {n_folds}: too few moments in column {self._request.time_column!r}"
                )
            folds.append((parts["train"], parts["validation"]))
        return folds

    def _units_of_classes(self, rows: np.ndarray) -> np.ndarray:
        """(n_classes,) number of units with rows of each class."""
        pairs = np.unique(numbered(self._units[rows]) * len(self._class_names) + self._targets[rows])
        return np.bincount(pairs % len(self._class_names), minlength=len(self._class_names))

    def _hold_out(self, rows: np.ndarray, fraction: float, seed: int) -> np.ndarray:
        """(n,) bool mask of the held-out rows."""
        units = numbered(self._units[rows])
        if self._facts.times is None:
            return hold_out(strata_of(self._targets[rows]), units, fraction, np.random.default_rng(seed))
        late = cut(self._facts.times[rows], units, fraction)
        if late is not None:
            return late
        if self._request.group_column:
            raise InputError(
                f"group_column and time_column must not contradict each other: near the last {fraction:.0%} of the "
                f"rows, some group of {self._request.group_column!r} spans every moment; give one of the two"
            )
        raise InputError(
            f"time_column must tell early rows from late ones, got no two moments near the last {fraction:.0%} of the "
            f"rows in {self._request.time_column!r}"
        )

    def _without_copies(self, parts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The parts without rows that also occur in a later part or in the test table."""
        kept: dict[str, np.ndarray] = {}
        later = self._test_keys
        for name, rows in reversed(parts.items()):
            kept[name] = rows[~np.isin(self._facts.keys[rows], later)]
            later = np.concatenate([later, self._facts.keys[rows]])
        return {name: kept[name] for name in parts}

    def _notes(self, n_left_out: int) -> tuple[str, ...]:
        notes = []
        if n_equal := self._facts.n_equal:
            why = "equal rows are in the same split" if self._facts.are_copies else "the columns have few values"
            notes.append(f"{_rows(n_equal)} equal to an earlier one, target included; {why}")
        if n_left_out:
            notes.append(f"{_rows(n_left_out)} left out: equal to rows of a later split")
        return tuple(notes)


def _rows(n: int) -> str:
    return "1 row is" if n == 1 else f"{n:,} rows are"
