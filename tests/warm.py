"""Steps in processes that are forked from one that has made the imports, which are most of what a short step costs.

`python -m tests.warm` is that one: it reads jobs from its standard input, one JSON object a line, and answers each with
the exit code of its process.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

_OF_OTHERS = (
    "alembic.command", "git", "jinja2", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg",
    "mlflow.artifacts", "mlflow.data.dataset_registry", "mlflow.models", "mlflow.projects", "mlflow.pyfunc",
    "mlflow.tensorflow", "mlflow.store.model_registry.sqlalchemy_store", "mlflow.store.tracking.sqlalchemy_store",
    "optuna.importance", "optuna.visualization.matplotlib", "platformdirs", "plotly.graph_objects", "plotly.io",
    "pyarrow.csv", "pyarrow.dataset", "pyarrow.parquet", "rich.tree", "scipy.stats", "sklearn.ensemble",
    "sklearn.inspection", "sqlalchemy.dialects.sqlite",
)  # fmt: skip


def run_warm(
    name: str, arguments: Sequence[str], folder: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run `python -m <name> <arguments>` in `folder`, in a process whose interpreter and imports are there already.

    Args:
        env: All variables of its environment; those that an interpreter or a library reads as it starts do nothing.
    """
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.TemporaryDirectory() as said:
        job = {"name": name, "arguments": arguments, "folder": str(folder), "env": dict(env), "said": said}
        server.stdin.write(json.dumps(job) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        stdout, stderr = (Path(said, stream).read_text() for stream in ("stdout", "stderr"))
    return subprocess.CompletedProcess([name, *arguments], code, stdout, stderr)


@cache
def _server() -> subprocess.Popen[str]:
    """The process to fork from; it ends with this one."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "tests.warm"]
    server = subprocess.Popen(command, cwd=Path(__file__).parents[1], stdin=pipe, stdout=pipe, text=True)
    atexit.register(server.communicate)
    return server


def _imports() -> None:
    """Import what the steps import of other projects; their own modules each process imports anew."""
    from steps.base.libraries import import_tensorflow

    import_tensorflow()
    from mlflow.utils.requirements_utils import warn_dependency_requirement_mismatches
    from sqlalchemy.orm import configure_mappers

    for name in _OF_OTHERS:
        import_module(name)
    configure_mappers()
    warn_dependency_requirement_mismatches(["mlflow"])  # it keeps the list of all modules here, a second's work
    for name in [name for name in sys.modules if name.partition(".")[0] == "steps"]:
        del sys.modules[name]
    gc.collect()
    gc.freeze()  # else each process goes through all this, and copies the memory that it is in


def _next_job() -> dict[str, Any] | None:
    """In a new process, its job; None in this one, when there are no more."""
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            return dict(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)  # noqa: T201
    return None


def _become(name: str, arguments: Sequence[str], folder: str, env: Mapping[str, str], said: str) -> int:
    """Be the process that does this job, as if it had been started for it; returns its exit code."""
    flags = os.O_WRONLY | os.O_CREAT
    for stream, path, how in ((0, os.devnull, os.O_RDONLY), (1, f"{said}/stdout", flags), (2, f"{said}/stderr", flags)):
        os.dup2(os.open(path, how), stream)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    sys.argv = [name, *arguments]
    try:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _leave(codes: Sequence[int]) -> None:
    """End this process with the last of these codes; to take all its modules down would take half a second."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(codes[-1])


if __name__ == "__main__":
    codes = [1]  # of a process that an exception ends
    atexit.register(_leave, codes)  # before all others: it is called after them
    _imports()
    job = _next_job()
    codes.append(_become(**job) if job else 0)
