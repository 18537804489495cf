"""Schema of a table: kinds of its columns, and the columns left out, with reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["number", "boolean", "category", "date"]


@dataclass(frozen=True)
class Column:
    """A column that the model takes.

    Attributes:
        name: As in the table.
        kind: How its values are read and encoded.
        why: Reason for the kind, for people.
        n_missing: Number of rows without a value.
        levels: Distinct words: of a category in natural order, of a boolean those for false and true.
        low: Smallest number, or earliest date in seconds since 1970 UTC; None for other kinds.
        high: Largest number or latest date, likewise.
        example: A value as written in the table.
        format: `1,234.5` or `1.234,5` for numbers stored as text; a `strptime` pattern for dates stored as text,
            `unix s` or `unix ms` for dates stored as numbers. Empty for plain numbers and ISO 8601.
        zone: IANA name of the time zone in which month, weekday and hour of a date are taken; empty for UTC.
        parts: Dates only: those of `month`, `weekday` and `hour` that vary.
    """

    name: str
    kind: Kind
    why: str = ""
    n_missing: int = 0
    levels: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    example: str = ""
    format: str = ""
    zone: str = ""
    parts: tuple[str, ...] = ()

    def written(self, level: str | bool) -> str:
        """A level as in the table, such as `yes` for true."""
        return self.levels[level] or str(level) if isinstance(level, bool) and self.levels else str(level)

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Column:
        """The inverse of `asdict`, after JSON."""
        return cls(**{**about, "levels": tuple(about["levels"]), "parts": tuple(about["parts"])})


@dataclass(frozen=True)
class LeftOut:
    """A column that the model does not take, with the reason for people."""

    name: str
    why: str


@dataclass(frozen=True)
class Schema:
    """All columns of a table except the target.

    Attributes:
        columns: Those that the model takes, in the order of the table.
        left_out: The others.
        warnings: Lines for people, each with the name of its column.
    """

    columns: tuple[Column, ...]
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def to_json(self) -> dict[str, Any]:
        """All attributes as JSON types."""
        return {
            "columns": [{**asdict(c), "levels": list(c.levels), "parts": list(c.parts)} for c in self.columns],
            "left_out": [asdict(column) for column in self.left_out],
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Schema:
        """The inverse of `to_json`."""
        return cls(
            tuple(Column.from_json(column) for column in about["columns"]),
            tuple(LeftOut(**column) for column in about["left_out"]),
            tuple(about["warnings"]),
        )

    def differences(self, other: Schema) -> list[str]:
        """Differences between rows for `self` and rows for `other`, a line per column.

        Levels, ranges and left-out columns do not count: the same rows can still serve both.
        """
        ours = {column.name: column for column in self.columns}
        theirs = {column.name: column for column in other.columns}
        lines = [f"column {name!r} ({ours[name].kind}) is not in the other" for name in ours if name not in theirs]
        for name, their in theirs.items():
            if name not in ours:
                lines.append(f"column {name!r} ({their.kind}) is only in the other")
            elif ours[name].kind != their.kind:
                lines.append(f"column {name!r} is a {ours[name].kind}, in the other a {their.kind}")
            elif ours[name].format != their.format:
                written = (ours[name].format or "plain", their.format or "plain")
                lines.append(f"column {name!r} is written {written[0]}, in the other {written[1]}")
        return lines
