"""YAML files (JSON is YAML too) as nodes, and nodes as values; every failure is one line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from steps.base.errors import InputError

_MOST_VALUES, _DEEPEST = 100_000, 20  # with aliases, a short text can stand for any number of values


class Loader(yaml.SafeLoader):
    """Safe YAML that also reads 1e-3 as a number, like JSON, Python and YAML 1.2."""


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def read_document(path: Path, where: str) -> str:
    """The text of a file.

    Raises:
        InputError: It is not readable, or not UTF-8; `where` begins the message.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{where}: not readable ({error})") from error


def compose(text: str, where: str) -> yaml.Node | None:
    """The root node of a text; None if it is empty.

    Raises:
        InputError: It is not YAML, or nested too deeply, or stands for too many values; the message has the line.
    """
    try:
        root = yaml.compose(text, Loader)
        if root is not None:
            _check_size(root)
    except (RecursionError, _Unwieldy) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise InputError(f"{where}, line 1: not YAML of this kind ({reason})") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{where}, line {line}: not YAML ({error.problem})") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(f"{where}, line {line}: not YAML ({error.reason})") from error
    return root


def construct(node: yaml.Node) -> Any:
    """The value of a node.

    Raises:
        ValueError: It is not a value of the type that its tag names.
        yaml.YAMLError: It is not a valid value for another reason.
    """
    try:
        return Loader("").construct_object(node, deep=True)
    except (LookupError, AttributeError, TypeError, ValueError) as error:  # of `!!bool maybe` or `!!timestamp today`
        raise ValueError(f"not a value of the type {node.tag} ({error})") from error


def line_of(node: yaml.Node) -> int:
    """1-based line on which a node begins."""
    return int(node.start_mark.line) + 1


def _check_size(root: yaml.Node) -> None:
    """Refuse nodes that would take all memory or the whole stack; a node counts as often as an alias names it."""
    n, waiting = 0, [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        n += 1
        if depth > _DEEPEST or n > _MOST_VALUES:
            raise _Unwieldy("nested too deeply" if depth > _DEEPEST else f"it has more than {_MOST_VALUES:,} values")
        if isinstance(node, yaml.SequenceNode):
            waiting += [(part, depth + 1) for part in node.value]
        elif isinstance(node, yaml.MappingNode):
            waiting += [(part, depth + 1) for pair in node.value for part in pair]


class _Unwieldy(ValueError):
    """A text that stands for too many values, or for too many within each other."""
