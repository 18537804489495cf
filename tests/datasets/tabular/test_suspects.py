"""Leaks by order and by time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from steps.datasets.tabular.inference import Statements, infer

N = 300
RANDOM = np.random.default_rng(0)


def warnings_of(frame: pd.DataFrame, **request: str) -> tuple[str, ...]:
    return infer(pa.Table.from_pandas(frame, preserve_index=False), "y", Statements(**request)).schema.warnings


def claims(delays: np.ndarray) -> pd.DataFrame:
    """Claims with the time of their opening, and a second time."""
    opened = pd.Timestamp("2025-01-01") + pd.to_timedelta(RANDOM.permutation(N), unit="D")
    second = opened + pd.to_timedelta(delays, unit="h")
    return pd.DataFrame({"opened": opened, "x": RANDOM.normal(size=N), "second": second})


@pytest.mark.parametrize("target", [np.repeat(["a", "b"], N // 2), np.sort(RANDOM.lognormal(size=N))])
def test_an_identifier_that_orders_the_target_is_warned_of(target: np.ndarray) -> None:
    frame = pd.DataFrame({"id": np.arange(1, N + 1), "x": RANDOM.normal(size=N), "y": target})
    (warning,) = warnings_of(frame)
    assert warning.startswith("column 'id', which is left out, explains 9") or "explains 100.0%" in warning
    assert "the order of the rows tells it" in warning
    assert warnings_of(frame.assign(y=RANDOM.permutation(target))) == ()
    assert warnings_of(frame, ignore_columns=("id",)) == ()  # the user knows it


def test_a_date_after_the_fact_that_tells_the_target_is_warned_of() -> None:
    delays = RANDOM.exponential(100, N)
    frame = claims(delays).assign(y=np.where(delays + RANDOM.normal(0, 20, N) > 80, "refused", "paid"))
    (warning,) = warnings_of(frame, time_column="opened")
    assert warning.startswith("column 'second' is never before 'opened'")
    assert "its delay or being empty explains" in warning
    assert warning.endswith("if it is not known before the target, name it in ignore_columns")
    assert warnings_of(frame) == ()  # without a time column nobody knows what is late


def test_dates_that_tell_nothing_or_come_before_are_not_warned_of() -> None:
    target = RANDOM.choice(["refused", "paid"], N)
    assert warnings_of(claims(RANDOM.exponential(100, N)).assign(y=target), time_column="opened") == ()
    delays = np.where(target == "paid", -50.0, -10.0) + RANDOM.normal(0, 20, N)
    assert warnings_of(claims(delays).assign(y=target), time_column="opened") == ()
