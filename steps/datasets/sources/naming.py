"""Names: default names of models, and suggestions for a name that does not exist."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

COMPRESSED = (".gz", ".bz2", ".zst")
_LONGEST = 60  # characters


def suffix(path: Path) -> str:
    """The suffix of the format: .csv for rows.CSV.gz."""
    suffixes = [part.lower() for part in path.suffixes]
    return next((part for part in reversed(suffixes) if part not in COMPRESSED), "")


def source_name(file_name: str) -> str:
    """A name for a model: letters, digits, `-` and `_`, which registries, filters and URLs accept."""
    stem = file_name.lstrip(".").partition(".")[0]
    word = re.sub(r"[^\w-]+", "-", unicodedata.normalize("NFKC", stem)).strip("-_")
    return word[:_LONGEST].strip("-_") or "data"


def as_utf8(name: str) -> str:
    """The name of a file with invalid UTF-8 replaced, so that it can be written."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def nearest(path: Path, names: Iterable[str]) -> str:
    """Suggestion for a path that does not exist: the most similar name in its folder or in `names`."""
    try:
        beside = {found.name: str(path.parent / found.name) for found in path.parent.iterdir()}
    except OSError:
        beside = {}
    known = {**{name: name for name in names}, **beside}
    alike = difflib.get_close_matches(path.name, known, n=1)
    return f"; did you mean {known[alike[0]]!r}?" if alike else ""
