"""Columns of any origin as Arrow arrays."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .errors import SchemaError

Cells = pa.Array | list[Any]  # cells of a column; a list is cheaper for a few rows

_UNREADABLE = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError)


def as_array(values: Any, name: str) -> pa.Array:
    """One Arrow array of a pandas, NumPy or Arrow column or a list; mixed types become text.

    Args:
        name: Name of the column, for the message.

    Raises:
        SchemaError: A cell holds more than one value.
    """
    if isinstance(values, pd.Series) and isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert(None)  # to UTC; Arrow asks pandas for it in a way that is deprecated
    if not isinstance(values, pa.Array | pa.ChunkedArray):
        try:
            values = pa.array(values, from_pandas=True)
        except _UNREADABLE:
            values = pa.array([text(value) for value in values], pa.string())
    if isinstance(values, pa.ChunkedArray):
        values = values.unify_dictionaries().combine_chunks()
    if isinstance(values.type, pa.BaseExtensionType):
        values = pa.array([text(value) for value in values.to_pylist()], pa.string())
    if pa.types.is_nested(values.type):
        raise SchemaError(f"column {name!r} must hold one value per cell, got {values.type}")
    return values


def text(value: Any) -> str | None:
    """A cell as text, the same whatever type holds it; None for a missing one."""
    if isinstance(value, str):
        return value
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else float_text(float(value))
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def float_text(value: float) -> str:
    """The shortest text of a number in single precision; `1` for 1.0."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.7g}"


def decimal_text(value: Decimal) -> str:
    """The plain text of a decimal, without trailing zeros."""
    if not value.is_finite():
        return str(value)
    return str(int(value)) if value == value.to_integral_value() else f"{value.normalize():f}"


def plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as JSON types: dates and decimals as text, None for missing cells."""
    cells = {name: [_cell(value) for value in rows[name].tolist()] for name in rows.columns}
    return pd.DataFrame(cells, dtype=object)


def _cell(value: Any) -> Any:
    return value if isinstance(value, bool | int) or (isinstance(value, float) and value == value) else text(value)
