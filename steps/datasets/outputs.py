"""Predictions as a `.csv` or `.parquet` file, written in chunks and published atomically."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from steps.base.errors import InputError
from steps.base.files import replacing
from steps.datasets.rows import Rows
from steps.datasets.tabular.interval import PredictionInterval
from steps.datasets.tabular.predictions import PREDICTED, PREDICTION_SET, named, names, set_members, set_texts
from steps.datasets.tabular.target import Target

_WRITERS: dict[str, Any] = {".csv": pa.csv.CSVWriter, ".parquet": pq.ParquetWriter}
FORMATS = tuple(_WRITERS)


def check_output(given: str, *, overwrite: bool) -> Path:
    """Path of an output file, checked before anything runs.

    Raises:
        InputError: The format is unknown, the folder does not exist, or the file exists and must not be overwritten.
    """
    path = Path(given)
    if path.suffix.lower() not in _WRITERS:
        raise InputError(f"output must be a {' or '.join(_WRITERS)} file, got {given!r}")
    if not path.parent.is_dir():
        raise InputError(f"output must be in a folder that exists, got {given!r}; make {str(path.parent)!r} first")
    if path.is_dir():
        raise InputError(f"output must be a file, got the folder {given!r}")
    if path.exists() and not overwrite:
        raise InputError(f"output must not exist, got {given!r}; choose another, or give overwrite=true")
    return path


class PredictionWriter:
    """Context manager that puts the file in place at the end of its block; if the block raises, an old file stays.

    Columns: the keys, then those of `tabular.predictions.named`, and `prediction_set` if a level is given.

    Args:
        level: Of the prediction sets; None for a table without them.
    """

    def __init__(
        self,
        path: Path,
        rows: Rows,
        target: Target,
        interval: PredictionInterval | None = None,
        level: float | None = None,
    ) -> None:
        self._path, self._target, self._interval, self._level = path, target, interval, level
        own = [(name, pa.float32()) for name in names(target, interval)]
        if target.class_names:
            own[0] = (PREDICTED, pa.string())
        if level is not None:
            own.append((PREDICTION_SET, pa.string()))
        self._own = [pa.field(*field) for field in own]
        self._schema = pa.schema([pa.field(rows.key, rows.key_type), *self._own])

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            draft = stack.enter_context(replacing(self._path))
            self._writer = stack.enter_context(_WRITERS[self._path.suffix.lower()](draft, self._schema))
            self._stack = stack.pop_all()
        return self

    def write(self, keys: pa.Array, outputs: np.ndarray) -> None:
        """Append rows: their keys and (n, n_outputs) float32 outputs."""
        predictions = named(outputs, self._target, self._interval)
        if self._level is not None:
            predictions[PREDICTION_SET] = set_texts(set_members(outputs, self._target, self._level), self._target)
        columns = [pa.array(predictions[name], field.type) for name, field in zip(predictions, self._own, strict=True)]
        self._writer.write_table(pa.Table.from_arrays([keys, *columns], schema=self._schema))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
