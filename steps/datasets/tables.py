"""Data sets from tables: infer the columns, split the rows, encode them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from steps.base.errors import InputError
from steps.datasets.dataset import SPLITS, TRAINING, Dataset, RawTable, Split
from steps.datasets.drift.profile import Profile
from steps.datasets.request import DataRequest
from steps.datasets.sources.source import TableSource
from steps.datasets.splitting import RowSplitter
from steps.datasets.tabular.columns import Columns
from steps.datasets.tabular.encoding import Encoding
from steps.datasets.tabular.errors import SchemaError
from steps.datasets.tabular.inference import Inference, infer, suggest_targets
from steps.datasets.tabular.rows import Rows
from steps.datasets.tabular.schema import Column
from steps.datasets.tabular.targets import fitted, read_target
from steps.datasets.tabular.values import canonical, read_numbers

_SUGGESTED = 12  # columns listed if the target is missing
_FOLDS, _SMALL = 5, 1000  # number of folds for a table with at most this many rows outside the test split


def table_as_dataset(source: TableSource, test: TableSource | None, request: DataRequest) -> Dataset:
    """Data set of a table; the encoding is fitted on the training rows.

    Args:
        test: Table that becomes the test split.

    Raises:
        InputError: A column cannot be used, or contradicts the request.
    """
    request = replace(
        request, target=request.target or source.target, split_column=request.split_column or source.split
    )
    if not request.target:
        columns = ", ".join(suggest_targets(source.table)[:_SUGGESTED])
        raise InputError(f"target must be the column to predict, got ''; the columns, the likely ones first: {columns}")
    try:
        return _as_dataset(source, test, request)
    except SchemaError as error:
        raise InputError(str(error)) from error


def _as_dataset(source: TableSource, test: TableSource | None, request: DataRequest) -> Dataset:
    table, found = source.table, infer(source.table, request.target, request.statements())
    given = _test_rows(test.table, found) if test is not None else None
    splitter = RowSplitter(table, found, request, given)
    split = splitter.split()
    rows = dict(split.rows)
    learnable = np.sort(np.concatenate([rows["train"], rows["validation"]]))
    folds = splitter.folds(learnable, n_folds) if (n_folds := _n_folds(request, splitter, learnable)) > 1 else []
    if folds:
        rows["train"] = learnable
        del rows["validation"]

    def take(numbers: np.ndarray) -> tuple[pa.Table, np.ndarray]:
        return table.take(found.labels.rows[numbers]), found.labels.values[numbers]

    def encoded(encoding: Encoding, raw: pa.Table, targets: np.ndarray) -> Split:
        return Split(encoding.encode(raw), targets, _weights(raw, request.weight_column))

    test_rows, test_targets = given if given is not None else take(rows["test"])
    encoding = Encoding.fit(found.schema, take(rows["train"])[0])
    splits = {name: encoded(encoding, *take(rows[name])) for name in TRAINING if name in rows}
    splits["test"] = encoded(encoding, test_rows, test_targets)
    for i, fold in enumerate(folds, 1):
        own = Encoding.fit(found.schema, take(fold[0])[0])
        splits |= {f"fold_{i}_{name}": encoded(own, *take(part)) for name, part in zip(TRAINING, fold, strict=True)}
    training = np.concatenate([rows[name] for name in TRAINING if name in rows])
    target = fitted(found.labels.target, found.labels.values[rows["train"]])
    notes = [*source.notes]
    if found.labels.n_missing:
        notes.append(f"{found.labels.n_missing:,} rows without a target were left out")
    notes += split.notes
    if folds:
        notes.append(f"{len(learnable):,} rows are validated in {len(folds)} folds")
    return Dataset(
        name=source.name,
        splits=splits,
        target=target,
        request=request,
        source=source.source,
        level_counts=encoding.level_counts,
        columns=Columns(found.schema, target, encoding),
        profile=Profile.of_table(found.schema, table, found.labels.rows[training]),
        test_rows=test_rows,
        raw=RawTable(
            table,
            {name: found.labels.rows[rows[name]] for name in SPLITS if name in rows},
            None if given is None else test_rows,
            split.are_copies,
        ),
        notes=tuple(notes),
    )


def _n_folds(request: DataRequest, splitter: RowSplitter, learnable: np.ndarray) -> int:
    """The requested number of folds; by default 5 for small tables whose rows have no order, else 1."""
    if request.folds:
        return request.folds
    is_ordered = request.time_column or request.split_column
    is_small = len(learnable) <= _SMALL and not is_ordered and splitter.most_folds(learnable) >= _FOLDS
    return _FOLDS if is_small else 1


def _test_rows(test: pa.Table, found: Inference) -> tuple[pa.Table, np.ndarray]:
    """Rows of a test table with a target, and their targets.

    Raises:
        InputError: It has other columns or classes, or a cell is not a value of its column.
    """
    target = found.labels.target
    try:
        rows = Rows(test)
        rows.require((target.name, *found.schema.names))
        for column in found.schema.columns:
            canonical(column, rows.column(column.name))
        targets = read_target(target, rows.column(target.name))
    except SchemaError as error:
        raise InputError(f"test_dataset must have columns as those of dataset, got others: {error}") from error
    present = np.flatnonzero(targets >= 0 if target.class_names else ~np.isnan(targets))
    if not len(present):
        raise InputError(f"test_dataset must have rows with a value of {target.name!r}, got none")
    return test.take(present), targets[present]


def _weights(rows: pa.Table, name: str) -> np.ndarray | None:
    """(n,) float32 weights; None without a column of weights.

    Raises:
        InputError: A weight is missing or negative, or all are zero.
    """
    if not name:
        return None
    weights = read_numbers(Column(name, "number"), rows.column(name).combine_chunks()).astype(np.float32)
    if not (weights >= 0).all() or not weights.any():
        raise InputError(f"weight_column must hold numbers of at least 0, and some above, in every row, got {name!r}")
    return weights
