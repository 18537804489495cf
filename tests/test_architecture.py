"""docs/architecture.md against the tree: what it names exists, and no room is missing."""

from __future__ import annotations

import ast
import re
import tomllib

from tests.running import REPOSITORY

PAGE = (REPOSITORY / "docs" / "architecture.md").read_text()
_PATH = re.compile(r"`((?:steps|deploy|docs|benchmarks|tests)/[\w/.*-]*)`")


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """Cells of the section's table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_path_exists() -> None:
    assert [path for path in _PATH.findall(PAGE) if not list(REPOSITORY.glob(path.rstrip("/")))] == []


def test_every_test_in_the_table_of_troubles_exists() -> None:
    named = _PATH.findall((REPOSITORY / "docs" / "troubleshooting.md").read_text())
    assert [path for path in named if not (REPOSITORY / path).is_file()] == []


def test_every_room_has_its_sentence() -> None:
    listed = {path.rstrip("/") for cells in rows("The rooms") for path in _PATH.findall(cells[0])}
    packages = {path.parent.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("steps/*/**/__init__.py")}
    assert packages | {"steps/spaces", "steps/*.py"} == listed


def test_the_order_of_the_rooms_is_the_one_that_lint_holds() -> None:
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    held = [set(re.findall(r"steps\.(\w+)", layer)) for layer in layers if "steps.main" not in layer]
    held = [rooms for rooms in held if "tune" not in rooms]  # the commands
    (drawn,) = re.findall(r"^commands → (.*)$", PAGE, re.MULTILINE)
    assert [set(rooms.split(", ")) for rooms in drawn.split(" → ")] == held


def test_each_first_guess_is_right() -> None:
    for question, guess, name in rows("Entry points for changes"):
        defined: set[str] = set()
        for path in _PATH.findall(guess):
            if path.endswith(".py"):
                tree = ast.parse((REPOSITORY / path).read_text())
                defined |= {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)}
                defined |= {
                    node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
                }
        assert set(re.findall(r"`(\w+)`", name)) <= defined, question


def test_the_glossary_is_sorted() -> None:
    words = [cells[0] for cells in rows("Glossary")]
    assert words == sorted(words)
