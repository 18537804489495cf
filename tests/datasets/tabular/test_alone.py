"""The folder stands alone, as in a registered model: no code of this project outside it, few libraries."""

from __future__ import annotations

import ast
import shutil
import sys
from pathlib import Path

import steps.datasets.tabular
from tests.running import run_command, script, succeeded

FOLDER = Path(steps.datasets.tabular.__file__).parent
LIBRARIES = {"numpy", "pandas", "pyarrow"}


def test_every_import_is_of_the_folder_or_of_the_few_libraries() -> None:
    others = set()
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                others |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level != 1:
                others.add("..." if node.level else str(node.module).split(".")[0])
    assert others - LIBRARIES - sys.stdlib_module_names == set()


def test_the_folder_works_under_another_name_and_without_this_project(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "shipped", ignore=shutil.ignore_patterns("__pycache__"))
    modules = [f"shipped.{path.stem}" for path in FOLDER.glob("*.py") if path.stem != "__init__"]
    code = f"import {', '.join(modules)}, sys; assert not [name for name in sys.modules if name.startswith('steps')]"
    succeeded(run_command(script(code), tmp_path, PYTHONPATH=str(tmp_path)))
