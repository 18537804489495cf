"""Optuna is used by its public side; what is not stands in one file, and is explained here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module

from tests.running import REPOSITORY

STORAGE = "steps/search/store/storage.py"
EXPLAINED = {
    (STORAGE, "optuna.storages.get_storage"): (
        "Puts Optuna's cache of ended trials before a storage, as create_study does; its docstring calls it internal. "
        "Without it each request would read all trials of a study again."
    ),
    (STORAGE, "RDBStorage.engine"): (
        "The leases share the storage's pool of connections: with a second one, each process would take twice as many "
        "of the hundred that PostgreSQL has for all. The class asks not to use its attributes."
    ),
}


def private_names(source: str) -> Iterator[str]:
    """Names of Optuna that a module uses although they are not public."""
    tree = ast.parse(source)
    made: dict[str, str] = {}  # variable -> the class of Optuna that it is an instance of
    from_optuna: dict[str, object] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "optuna":
            module = import_module(str(node.module))
            for name in (alias.name for alias in node.names):
                from_optuna[name] = getattr(module, name, None)
                known = getattr(module, "__all__", None)
                if _is_private(f"{node.module}.{name}") or (known is not None and name not in known):
                    yield f"{node.module}.{name}"
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            kind = getattr(node.value.func, "id", "")
            made |= {target.id: kind for target in node.targets if isinstance(target, ast.Name) and kind in from_optuna}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = getattr(node.value, "id", "")
            if made.get(owner) == "RDBStorage":
                yield f"RDBStorage.{node.attr}"
            elif (_is_private(node.attr) and owner not in ("self", "cls", "os")) or node.attr == "system_attrs":
                yield ast.unparse(node)
        elif isinstance(node, ast.Constant) and node.value == "fixed_params":
            yield "fixed_params"
        elif isinstance(node, ast.ClassDef):
            bases = [
                from_optuna[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in from_optuna
            ]
            inherited = {name for base in bases for name in dir(base) if _is_private(name)}
            used = {inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}
            defined = {inner.name for inner in node.body if isinstance(inner, ast.FunctionDef)}
            yield from (f"{node.name}.{name}" for name in sorted(inherited & (used | defined)))


def _is_private(path: str) -> bool:
    public = ("_replace",)  # of named tuples
    return any(part.startswith("_") and not part.endswith("__") and part not in public for part in path.split("."))


def test_private_names_of_optuna_are_explained() -> None:
    found = set()
    for path in sorted((REPOSITORY / "steps").rglob("*.py")):
        source = path.read_text()
        if "optuna" in source:
            found |= {(str(path.relative_to(REPOSITORY)), name) for name in private_names(source)}
    assert found == EXPLAINED.keys()


def test_private_names_are_recognized() -> None:
    source = """
from optuna.samplers import BaseSampler, TPESampler
from optuna.samplers._tpe.sampler import default_gamma
from optuna.storages import RDBStorage

storage = RDBStorage("sqlite://")
storage.url

class Mine(TPESampler):
    def _sample(self, study, trial):
        self._own = self._rng
        return study._storage, trial.system_attrs["fixed_params"]
"""
    assert set(private_names(source)) == {
        "optuna.samplers._tpe.sampler.default_gamma", "RDBStorage.url", "Mine._sample", "study._storage",
        "trial.system_attrs", "fixed_params",
    }  # fmt: skip
