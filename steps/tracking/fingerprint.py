"""The fingerprint of a step: equal where running it again could not change its result."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from steps.tracking.project import PACKAGE, project_folder


def fingerprint(step: str, parameters: Mapping[str, object], inputs: Sequence[str] = ()) -> str:
    """SHA-256 over the step's name, parameters, inputs, code and pinned dependencies.

    Args:
        step: Entry point, the name of a module in `steps`.
        parameters: What changes the result; content of files rather than their names. Values are compared as strings.
        inputs: Fingerprints of the runs it reads.
    """
    parts = {
        "step": step,
        "parameters": {name: str(value) for name, value in parameters.items()},
        "inputs": list(inputs),
        **_code(step),
    }
    return _digest(parts)


def code_digest(step: str) -> str:
    """SHA-256 over a step's code and the pinned dependencies: equal where two installations do the same."""
    return _digest(_code(step))


def _code(step: str) -> dict[str, object]:
    return {
        "code": {path.relative_to(PACKAGE).as_posix(): _sha256(path) for path in sorted(code_of(step))},
        "dependencies": _sha256(project_folder() / "conda.yaml"),
    }


def code_of(step: str) -> set[Path]:
    """Every file of this package that the step's module imports, directly or not, at any time."""
    found: set[Path] = set()
    todo = [PACKAGE / f"{step}.py"]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo.extend(_imports(path))
    return found


def _imports(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE.name:
            yield from _files(node.module)
            for alias in node.names:
                yield from _files(f"{node.module}.{alias.name}")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == PACKAGE.name:
                    yield from _files(alias.name)


def _files(module: str) -> Iterator[Path]:
    """The module's own file and the `__init__` of each package around it; none for a name that is no module."""
    path = PACKAGE.parent.joinpath(*module.split("."))
    if path.with_suffix(".py").is_file():
        yield path.with_suffix(".py")
    elif not path.is_dir():
        return
    for package in (path, *path.parents):
        if package == PACKAGE.parent:
            break
        if (package / "__init__.py").is_file():
            yield package / "__init__.py"


def _digest(parts: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
