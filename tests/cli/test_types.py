from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from steps.cli.types import FilePath, FractionRange, Names, RunId, StepOption, TrialNumber


def convert(kind: click.ParamType[Any], value: object) -> Any:
    return StepOption(["--it"], type=kind).type_cast_value(click.Context(click.Command("step")), value)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (click.IntRange(1), "0", "must be a whole number of at least 1, got '0'"),
        (click.IntRange(0, 9), "x", "must be a whole number from 0 to 9, got 'x'"),
        (FractionRange(0, 1), "1.5", "must be a number from 0 to 1, got '1.5'"),
        (FractionRange(0, 1), "nan", "must be a number from 0 to 1, got 'nan'"),
        (
            FractionRange(0, 1, min_open=True, max_open=True),
            "1/1",
            "must be a number strictly between 0 and 1, got '1/1'",
        ),
        (FractionRange(0, 1), "1/0", "must be a number from 0 to 1, got '1/0'"),
        (click.Choice(("a", "b")), "c", "must be one of a, b, got 'c'"),
        (click.BOOL, "maybe", "must be true or false, got 'maybe'"),
        (Names(), "a,,b", "must be names separated by commas, each once, got 'a,,b'"),
        (Names(), "a,a", "must be names separated by commas, each once, got 'a,a'"),
        (TrialNumber(), "-1", "must be auto or the number of a trial, got '-1'"),
        (RunId(), "../x", "must be the ID of a run, got '../x'"),
    ],
)
def test_an_error_says_what_the_value_must_be_and_what_was_given(
    kind: click.ParamType[Any], value: str, message: str
) -> None:
    with pytest.raises(click.BadParameter) as error:
        convert(kind, value)
    assert error.value.message == message


def test_values() -> None:
    assert convert(FractionRange(0, 1), "1/4") == convert(FractionRange(0, 1), 0.25) == 0.25
    assert convert(Names(), "accuracy, latency") == convert(Names(), ("accuracy", "latency")) == ("accuracy", "latency")
    assert [convert(TrialNumber(), text) for text in ("auto", "07")] == ["auto", "7"]


def test_a_file_gets_its_whole_path_and_a_name_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("small", "wide.yaml"):
        (tmp_path / name).touch()
    given = ["small", "wide.yaml", "missing.yaml", "", str(tmp_path / "wide.yaml"), "~/wide.yaml", "~/new.csv"]
    whole = str(tmp_path / "wide.yaml")
    taken = ["small", whole, "missing.yaml", "", whole, whole, str(tmp_path / "new.csv")]
    assert [convert(FilePath(lambda: {"small"}), value) for value in given] == taken
