"""Dates and times as instants, and their cyclic parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from .words import words

UNIX_UNITS = {"unix s": 1_000_000.0, "unix ms": 1_000.0}  # microseconds
_PERIODS = {"month": 12.0, "weekday": 7.0, "hour": 24.0}
_LAST = 253_402_300_800_000_000  # microseconds: the end of the year 9999


def instants(array: pa.Array, written: str) -> np.ndarray:
    """(n,) datetime64[us] in UTC, NaT for a cell that is missing or not a date.

    A time without a zone is UTC.

    Args:
        written: `Column.format`; ISO 8601 text is always accepted.
    """
    kind = array.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        zone = kind.tz if pa.types.is_timestamp(kind) else None
        found: np.ndarray = array.cast(pa.timestamp("us", zone), safe=False).to_numpy(zero_copy_only=False)
        return found.astype("M8[us]")
    if written in UNIX_UNITS:
        return _from_unix(array, UNIX_UNITS[written])
    positions, texts = words(array)
    dates: np.ndarray = np.append(parse(texts, written), np.datetime64("NaT", "us"))[positions]
    return dates


def parse(texts: Sequence[str | None], written: str) -> np.ndarray:
    """(n,) datetime64[us] of texts in one format or in ISO 8601, NaT for the others."""
    found = parse_exactly(texts, written or "ISO8601")
    rest = np.isnat(found) & np.array([text is not None for text in texts], bool)
    if written and rest.any():
        found[rest] = parse_exactly([texts[i] for i in np.flatnonzero(rest).tolist()], "ISO8601")
    return found


def parse_exactly(texts: Sequence[str | None], written: str) -> np.ndarray:
    """(n,) datetime64[us] of texts in one format only, NaT for the others.

    Args:
        written: A `strptime` pattern, or `ISO8601`.
    """
    # ISO 8601 reads plain digits as years; here they are numbers.
    usable = [text if text and (written != "ISO8601" or not text.isdigit()) else None for text in texts]
    parsed = pd.to_datetime(pd.Series(usable, dtype="str"), format=written, errors="coerce", utc=True)
    found: np.ndarray = parsed.dt.tz_localize(None).to_numpy("M8[us]").copy()
    return found


def _from_unix(array: pa.Array, unit: float) -> np.ndarray:
    if pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
        numbers = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    else:
        positions, texts = words(array)
        numbers = np.append(pd.to_numeric(pd.Series(texts, dtype="str"), errors="coerce"), np.nan)[positions]
    with np.errstate(invalid="ignore", over="ignore"):
        micros = numbers * unit
        good = np.abs(micros) < _LAST
    found = np.full(len(micros), np.datetime64("NaT", "us"))
    found[good] = micros[good].astype(np.int64).astype("M8[us]")
    return found


def seconds(dates: np.ndarray) -> np.ndarray:
    """(n,) float64 seconds since 1970, NaN for NaT."""
    numbers = dates.astype("M8[us]").astype(np.int64) / 1e6
    return np.where(np.isnat(dates), np.nan, numbers)


def local(dates: np.ndarray, zone: str) -> np.ndarray:
    """The same instants in the local time of the zone."""
    if not zone or zone == "UTC":
        return dates
    shown: np.ndarray = pd.DatetimeIndex(dates, tz="UTC").tz_convert(zone).tz_localize(None).to_numpy("M8[us]")
    return shown


def part(dates: np.ndarray, name: str) -> np.ndarray:
    """(n,) float64 of a part: `month` in [0, 12) with its days, `weekday` in [0, 7) from Monday, `hour` in [0, 24)."""
    days = dates.astype("M8[D]")
    if name == "month":
        months = dates.astype("M8[M]")
        length = ((months + 1).astype("M8[D]") - months.astype("M8[D]")).astype(float)
        found = months.astype(np.int64) % 12 + (days - months.astype("M8[D]")).astype(float) / length
    elif name == "weekday":
        found = (days.astype(np.int64) + 3.0) % 7  # 1970 began on a Thursday
    else:
        found = (dates - days).astype(np.int64) / 3.6e9
    return np.where(np.isnat(dates), np.nan, found)


def circle(values: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Sine and cosine of a part's phase, 0 for NaN."""
    angle = values * (2 * np.pi / _PERIODS[name])
    return np.nan_to_num(np.sin(angle)), np.nan_to_num(np.cos(angle))
