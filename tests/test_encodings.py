"""Text is read and written in UTF-8, whatever the locale of the person."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.running import REPOSITORY


def calls_without_encoding(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or any(keyword.arg == "encoding" for keyword in node.keywords):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]
        is_binary = any("b" in word for word in map(_word, given) if set(word) <= set("rwxabt+"))
        is_text = any(keyword.arg in ("text", "universal_newlines") for keyword in node.keywords)
        opens = name in ("open", "fdopen") and ast.unparse(node.func) not in ("os.open", "Image.open")
        if name in ("read_text", "write_text") or is_text or (opens and not is_binary):
            yield f"{path.relative_to(REPOSITORY)}:{node.lineno}"


def _word(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "?"


def test_every_text_file_is_read_and_written_in_utf_8() -> None:
    found = [place for path in (REPOSITORY / "steps").rglob("*.py") for place in calls_without_encoding(path)]
    assert found == []
