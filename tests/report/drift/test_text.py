from __future__ import annotations

import csv
import io

import pytest

from steps.datasets.drift.comparison import ColumnDrift, Part
from steps.report.drift.text import drift_line, drift_table, part_text


def drift(part: Part, name: str = "tenure", kind: str = "number", psi: float = 0.41) -> ColumnDrift:
    return ColumnDrift(name, kind, psi, 1e-9, 0.31, 0.02, 0.1, (part,))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "part", "text"),
    [
        ("number", Part("above", 0.62, 0, (0, 72)), "62 % above its training range, which ends at 72"),
        ("number", Part("below", 0.004, 0, (12345.6, 72)), "0.4 % below its training range, which ends at 12,346"),
        ("date", Part("above", 0.999, 0, (0, 86400)), "99.9 % above its training range, which ends at 1970-01-02"),
        ("number", Part("between", 0.31, 0.05, (0.25, 1.5)), "31 % from 0.25 to 1.5, 5 % in training"),
        ("number", Part("between", 0.9, 0, (0, 0)), "90 % at 0, 0 % in training"),
        ("number", Part("missing", 0.31, 0.02), "31 % missing, 2 % in training"),
        ("category", Part("unseen", 0.12, 0, levels=("Pro",)), '12 % unseen levels such as "Pro"'),
        (
            "category",
            Part("unseen", 1, 0, levels=("two\nlines", "x" * 99)),
            '100 % unseen levels such as "two lines", "…"',
        ),
        ("category", Part("levels", 0.4, 0.25, levels=("a", "b")), '40 % "a", "b", 25 % in training'),
        ("category", Part("levels", 0.4, 0.25), "40 % rare levels, 25 % in training"),
    ],
)
def test_a_difference_is_said_with_its_shares(kind: str, part: Part, text: str) -> None:
    assert part_text(drift(part, kind=kind)) == text


MISSING = Part("missing", 0.31, 0.02)


def test_the_line_names_the_largest_differences() -> None:
    same = drift(MISSING, psi=0.05)
    assert drift_line([same, same], "columns") == ""
    assert drift_line([drift(MISSING), same], "columns") == (
        "1 of 2 columns differs from the training data: tenure (PSI 0.41: 31 % missing, 2 % in training)"
    )
    line = drift_line([drift(MISSING, name) for name in "abcde"], "columns")
    assert line.startswith("5 of 5 columns differ from the training data: a (PSI 0.41: ")
    assert line.endswith("c (PSI 0.41: 31 % missing, 2 % in training), and 2 more")


def test_the_table_has_every_column() -> None:
    rows = list(csv.DictReader(io.StringIO(drift_table([drift(MISSING), drift(MISSING, "age, in years", psi=0.01)]))))
    assert [(row["column"], row["differs"], row["psi"]) for row in rows] == [
        ("tenure", "true", "0.4100"),
        ("age, in years", "false", "0.0100"),
    ]
    assert rows[0]["largest_difference"] == "31 % missing, 2 % in training"
