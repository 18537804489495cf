"""What a parameter can be: words that a person types, checked and turned into values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import click


class Whole(click.ParamType):
    """A whole number in [low, high]."""

    name = "int"

    def __init__(self, low: int, high: int | None = None) -> None:
        self._low, self._high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number = int(str(value))
        except ValueError:
            number = self._low - 1
        if number < self._low or (self._high is not None and number > self._high):
            limits = f"of at least {self._low}" if self._high is None else f"from {self._low} to {self._high}"
            self.fail(f"must be a whole number {limits}, got {value!r}")
        return number


class Real(click.ParamType):
    """A number or a fraction such as 1/6, between two limits."""

    name = "float"

    def __init__(self, low: float, high: float, *, inclusive: bool = True) -> None:
        self._low, self._high, self._inclusive = low, high, inclusive

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(Fraction(str(value)))
        except (ValueError, ZeroDivisionError, OverflowError):
            number = float("nan")
        inside = self._low <= number <= self._high if self._inclusive else self._low < number < self._high
        if not inside:
            word = "from" if self._inclusive else "strictly between"
            joint = "to" if self._inclusive else "and"
            self.fail(f"must be a number {word} {self._low:g} {joint} {self._high:g}, got {value!r}")
        return number


class OneOf(click.ParamType):
    """One of a few words."""

    name = "word"

    def __init__(self, words: Callable[[], Sequence[str]] | Sequence[str]) -> None:
        self._words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        words = self._words() if callable(self._words) else self._words
        if value not in words:
            self.fail(f"must be one of {', '.join(words)}, got {value!r}")
        return str(value)


class Names(click.ParamType):
    """One or more names, separated by commas, each once."""

    name = "name,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        names = tuple(name.strip() for name in str(value).split(","))
        if not all(names):
            self.fail(f"must be names separated by commas, got {value!r}")
        if len(set(names)) < len(names):
            self.fail(f"must hold each name once, got {value!r}")
        return names


class TrialNumber(click.ParamType):
    """`auto`, or the number of a trial."""

    name = "trial"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if text != "auto" and not (text.isascii() and text.isdecimal()):
            self.fail(f"must be auto or the number of a trial, got {value!r}")
        return text if text == "auto" else str(int(text))


class RunId(click.ParamType):
    """An MLflow run ID; empty for the newest."""

    name = "run ID"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if text and not (text.isalnum() and text.isascii() and len(text) <= 64):
            self.fail(f"must be the ID of a run, got {value!r}")
        return text
