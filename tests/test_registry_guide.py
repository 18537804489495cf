"""Every command of docs/registry.md, in order, as a person would give it."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, environment


@pytest.mark.slow
def test_every_command_of_the_registry_guide(tmp_path: Path) -> None:
    project = tmp_path / "project"
    ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", "mlruns", "*.db*", ".*_cache")
    shutil.copytree(REPOSITORY, project, ignore=ignored)
    blocks = re.findall(r"^```sh\n(.*?)^```$", (REPOSITORY / "docs" / "registry.md").read_text(), re.M | re.S)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    script = "set -euo pipefail\n" + "".join(f"echo '>>> {i}'\n{block}" for i, block in enumerate(blocks))
    result = subprocess.run(
        ["bash", "-c", script.replace("5001", port)],
        cwd=project, env=environment(tmp_path), capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    said = dict(zip(range(len(blocks)), result.stdout.split(">>> ")[1:], strict=True))
    (train, table, better, sure, back, tree, replayed, predicted, served, predicted_by_mlflow, keras) = said.values()
    assert "promoted, because there was no champion" in train
    assert "approved" in table
    assert "exact McNemar test: p = " in better
    assert "promoted, because promote is always" in sure
    assert "Rolled back: champion of digits-mlp is version" in back
    assert "packages" in tree
    assert "dentical" in replayed
    assert "Predicted 360 rows with models:/digits-mlp/" in predicted
    assert '"probability_9"' in predicted
    assert served.count("[[") == 1
    assert '"predictions"' in (project / "answer.json").read_text()
    assert predicted_by_mlflow
    assert "(None, 10)" in keras
