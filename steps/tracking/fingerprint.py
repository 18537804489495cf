"""Fingerprint of a step: it stays the same as long as a new run could not change the result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from steps.tracking.project import PACKAGE, project_folder

# The rooms and files of this package that determine the result of a step. The others do not: `base` and `tracking`
# transport and store it, except for the files that package, apply and promote a model; `cli`, `report` and most of
# `flows` print and show it. A space file counts by its content, as a parameter.
MADE_BY = {
    "download": ("datasets", "flows/download.py"),
    "tune": ("datasets", "tasks", "mlp", "search"),
    "evaluate": (
        "datasets",
        "tasks",
        "mlp",
        "ensembles",
        "evaluation",
        "flows/evaluate.py",
        "registered",
        "tracking/image_flavor.py",
        "tracking/models.py",
        "tracking/packaging.py",
        "tracking/promotion.py",
    ),
}


def fingerprint(step: str, parameters: Mapping[str, object], inputs: Sequence[str] = ()) -> str:
    """SHA-256 over the step's name, parameters, inputs, code and pinned dependencies.

    Args:
        step: A key of `MADE_BY`.
        parameters: Parameters that affect the result; files by content, not by name. Values are compared as strings.
        inputs: Fingerprints of the runs that the step reads.
    """
    parts = {
        "step": step,
        "parameters": {name: str(value) for name, value in parameters.items()},
        "inputs": list(inputs),
        **_code(step),
    }
    return _digest(parts)


def code_digest(step: str) -> str:
    """SHA-256 over the code that determines a step's result and the pinned dependencies; equal installations agree."""
    return _digest(_code(step))


def _code(step: str) -> dict[str, object]:
    return {
        "code": {path.relative_to(PACKAGE).as_posix(): _sha256(path) for path in _files(step)},
        "dependencies": _sha256(project_folder() / "conda.yaml"),
    }


def _files(step: str) -> Iterator[Path]:
    """All files of the rooms except byte-code and hidden files of editors and file managers."""
    for name in MADE_BY[step]:
        path = PACKAGE / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            parts = file.relative_to(PACKAGE).parts
            if file.is_file() and not any(part.startswith((".", "__pycache__")) for part in parts):
                yield file


def _digest(parts: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
