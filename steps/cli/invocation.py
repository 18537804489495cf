"""A command with its options: the parameters recorded by its run, and the command line that repeats it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import click

from steps.base.paths import readable


@dataclass(frozen=True)
class Invocation:
    """A step and its options.

    Attributes:
        step: Name of the entry point.
        options: Converted values of all options, by name.
        defaults: Defaults of all options, in the same form.
    """

    step: str
    options: Mapping[str, Any]
    defaults: Mapping[str, Any]

    @classmethod
    def of(cls, command: click.Command, options: Mapping[str, Any]) -> Self:
        """The command with these options; options of other commands are ignored, missing ones have their defaults."""
        context = click.Context(command)
        defaults = {str(o.name): o.type_cast_value(context, o.get_default(context)) for o in command.params}
        return cls(str(command.name), {name: options.get(name, value) for name, value in defaults.items()}, defaults)

    def having(self, **options: Any) -> Self:
        """The same step with other values for some of its options."""
        return replace(self, options={**self.options, **options})

    @property
    def params(self) -> dict[str, str]:
        """All options in the syntax of the command line; bytes of a path that are not text are escaped."""
        return {name: readable(_text(value)) for name, value in self.options.items()}

    def project_command(self, **needed: str) -> str:
        """The `mlflow run` command of this step, with all options that are required or differ from their defaults."""
        params = self.params
        changed = {name: params[name] for name, value in self.options.items() if value != self.defaults[name]}
        options = " ".join(f"-P {name}={shlex.quote(text)}" for name, text in {**needed, **changed, **needed}.items())
        return f"mlflow run . -e {self.step} {options}"


def _text(value: object) -> str:
    """The text that this project's click types convert to the value."""
    if isinstance(value, tuple):
        joint = "x" if all(isinstance(part, int) for part in value) else ","
        return joint.join(f'"{part}"' if "," in str(part) else str(part) for part in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
