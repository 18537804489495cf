"""Additional click parameter types, and the option class that words the errors of all types."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from steps.base.paths import absolute_url, expand_home, readable


class StepOption(click.Option):
    """An option whose errors state the valid values, then the given one."""

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        if isinstance(value, str) and readable(value) != value and not isinstance(self.type, click.Path):
            raise click.BadParameter(
                f"must be text in the encoding of this terminal, got {readable(value)!r}", ctx, self
            )
        try:
            return super().type_cast_value(ctx, value)
        except click.BadParameter as error:
            if expected := _expected(self.type):
                raise click.BadParameter(f"must be {expected}, got {value!r}", ctx, self) from error
            raise


def _expected(kind: click.ParamType[Any]) -> str:
    """Valid values of one of click's types; "" for types whose own message has them."""
    if isinstance(kind, click.types.BoolParamType):
        return "true or false"
    if isinstance(kind, click.Choice):
        return f"one of {', '.join(kind.choices)}"
    if not isinstance(kind, click.IntRange | click.FloatRange):
        return ""
    noun = "a whole number" if isinstance(kind, click.IntRange) else "a number"
    if kind.max is None:
        return f"{noun} of at least {kind.min:g}"
    if kind.min_open:
        return f"{noun} strictly between {kind.min:g} and {kind.max:g}"
    return f"{noun} from {kind.min} to {kind.max}"


class FractionRange(click.FloatRange):
    """A number in a range, optionally written as a fraction: 1/6."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(Fraction(str(value)))  # unlike float, it refuses nan, which passes every range check
        except (ValueError, ZeroDivisionError, OverflowError):
            self.fail(f"{value!r} is not a number", param, ctx)
        return super().convert(number, param, ctx)


class Names(click.ParamType[tuple[str, ...]]):
    """Names, separated by commas, each once; a name that contains a comma is in double quotes."""

    name = "name,..."

    def __init__(self, *, may_be_empty: bool = False) -> None:
        self._may_be_empty = may_be_empty

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        if self._may_be_empty and not str(value).strip():
            return ()
        names = tuple(name.strip() for name in next(csv.reader([str(value)], skipinitialspace=True)))
        if not all(names) or len(set(names)) < len(names):
            self.fail(f"must be names separated by commas, each once, got {value!r}", param, ctx)
        return names


class ImageShape(click.ParamType[tuple[int, ...]]):
    """Height and width of an image in pixels; empty to infer them."""

    name = "HEIGHTxWIDTH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", str(value))
        if value and not found:
            self.fail(f"must be height and width in pixels, such as 28x28, got {value!r}", param, ctx)
        return (int(found[1]), int(found[2])) if found else ()


class TrialNumber(click.ParamType[str]):
    """`auto`, or the number of a trial."""

    name = "auto|number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if text != "auto" and not (text.isascii() and text.isdecimal()):
            self.fail(f"must be auto or the number of a trial, got {value!r}", param, ctx)
        return text if text == "auto" else str(int(text))


class RunId(click.ParamType[str]):
    """An MLflow run ID; empty for the newest run."""

    name = "run ID"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if text and not (text.isalnum() and text.isascii() and len(text) <= 64):
            self.fail(f"must be the ID of a run, got {value!r}", param, ctx)
        return text


class FilePath(click.Path):
    """A path, with `~` expanded, and absolute if it exists; the step itself checks what it may be."""

    def __init__(self, names: Callable[[], Collection[str]] = tuple) -> None:
        """
        Args:
            names: Returns words that are not to be taken for paths.
        """
        super().__init__()
        self._names = names

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = expand_home(str(value))
        return str(Path(text).absolute()) if text and text not in self._names() and Path(text).exists() else text


class DatabaseUrl(click.ParamType[str]):
    """A database URL; the path of an SQLite file becomes absolute."""

    name = "URL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return absolute_url(str(value))
