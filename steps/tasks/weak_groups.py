"""Groups of rows on which a model is much worse than on the whole, described by their columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from steps.datasets.tabular.schema import Column
from steps.datasets.tabular.values import canonical

MIN_ROWS = 200
_MAX_ROWS = 20_000
_DEPTH = 2  # conditions of a group
_SMALLEST = 20  # rows of a group in each half
_LEVELS = 10  # of a category that can make a group
_MUCH = 1.25  # times the mean error
_ALPHA = 0.05


@dataclass(frozen=True)
class WeakGroup:
    """Rows that share some values.

    Attributes:
        rule: Conditions on columns, as text.
        n: Number of rows in it, among those that did not choose it.
        error: Their mean error.
        overall: Mean error of all rows.
    """

    rule: str
    n: int
    error: float
    overall: float

    def text(self, written: Callable[[float], str]) -> str:
        """The group and its errors in a clause; `written` gives a mean error as text."""
        rows = f"{self.n:,} rows in half of the test split"
        return f"{self.rule} ({rows}): {written(self.error)}, of all rows {written(self.overall)}"


@dataclass(frozen=True)
class _Feature:
    """A number per row for the tree, and the condition that a split on it means."""

    numbers: np.ndarray
    below: Callable[[float], str]
    above: Callable[[float], str]


class _Tree(Protocol):
    """The public arrays of scikit-learn's `tree_`, each (n_nodes,); the children of a leaf are both -1."""

    children_left: np.ndarray
    children_right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray


def weak_groups(rows: pd.DataFrame, columns: Sequence[Column], errors: np.ndarray, seed: int) -> tuple[WeakGroup, ...]:
    """The groups with the largest errors, the worst first; empty for fewer than 200 rows.

    A small regression tree on one half of the rows proposes groups (Chung et al., Slice Finder, ICDE 2019, also do
    so); they count if they are worse by a quarter on the other half too, beyond chance (Welch's test, Bonferroni).

    Args:
        rows: Raw rows that the model has not seen.
        errors: (n,) error of each, larger is worse.
    """
    from scipy.stats import ttest_ind
    from sklearn.tree import DecisionTreeRegressor  # takes a moment

    order = np.random.default_rng(seed).permutation(len(rows))[:_MAX_ROWS]
    if len(order) < MIN_ROWS:
        return ()
    features = [feature for column in columns for feature in _features(column, rows[column.name].iloc[order])]
    overall, errors = float(errors.mean()), errors[order]
    if not features:
        return ()
    table = np.stack([feature.numbers for feature in features], axis=1)
    is_first = np.arange(len(order)) < len(order) // 2
    tree = DecisionTreeRegressor(max_depth=_DEPTH, min_samples_leaf=_SMALLEST, random_state=seed)
    leaves = tree.fit(table[is_first], errors[is_first]).apply(table)
    found = []
    for leaf, rule in _rules(tree.tree_, features):
        inside, outside = errors[~is_first & (leaves == leaf)], errors[~is_first & (leaves != leaf)]
        if len(inside) < _SMALLEST or inside.mean() < _MUCH * overall:
            continue
        test = ttest_ind(inside, outside, equal_var=False, alternative="greater")
        if test.pvalue < _ALPHA / tree.get_n_leaves():
            found.append(WeakGroup(rule, len(inside), float(inside.mean()), overall))
    return tuple(sorted(found, key=lambda group: -group.error))


def _features(column: Column, cells: pd.Series) -> Iterator[_Feature]:
    values, name = canonical(column, cells, []), column.name
    if column.kind in ("category", "boolean"):
        levels = values.drop_null().value_counts().sort(order="descending", by="counts").field("values")
        words = [column.written(level.as_py()) for level in levels]
        is_pair = len(words) == 2 and not values.null_count
        for i, word in enumerate(words[:_LEVELS]):
            other = words[1 - i] if is_pair else f"not {word}"
            yield _is(pc.equal(values, levels[i]), f"{name} is {word}", f"{name} is {other}")
    elif values.null_count < len(values):
        written = _date if column.kind == "date" else "{:,.4g}".format
        if column.kind == "date":
            values = values.cast(pa.int64())
        numbers = values.to_numpy(zero_copy_only=False).astype(float)
        yield _Feature(
            np.where(np.isnan(numbers), np.nanmedian(numbers), numbers),
            lambda edge: f"{name} ≤ {written(edge)}",
            lambda edge: f"{name} > {written(edge)}",
        )
    if values.null_count:
        yield _is(values.is_null(), f"{name} is missing", f"{name} is not missing")


def _date(microseconds: float) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).strftime("%Y-%m-%d")


def _is(truth: pa.Array, yes: str, no: str) -> _Feature:
    numbers = truth.fill_null(False).to_numpy(zero_copy_only=False).astype(float)
    return _Feature(numbers, lambda _: no, lambda _: yes)


def _rules(tree: _Tree, features: Sequence[_Feature]) -> Iterator[tuple[int, str]]:
    """Number and conditions of each leaf but the root."""
    paths: list[tuple[int, dict[tuple[int, bool], str]]] = [(0, {})]
    while paths:
        node, conditions = paths.pop()
        if tree.children_left[node] == tree.children_right[node]:  # both −1
            if conditions:
                ordered = sorted(conditions, key=lambda condition: (condition[0], not condition[1]))  # low end first
                yield node, " and ".join(conditions[condition] for condition in ordered)
            continue
        i, edge = int(tree.feature[node]), float(tree.threshold[node])
        paths.append((int(tree.children_left[node]), {**conditions, (i, False): features[i].below(edge)}))
        paths.append((int(tree.children_right[node]), {**conditions, (i, True): features[i].above(edge)}))
