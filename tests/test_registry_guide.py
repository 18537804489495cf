"""Every command of docs/registry.md, in order, as a person would give it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy.postgresql import free_port
from tests.running import REPOSITORY, copy_project, run_command


@pytest.mark.slow
def test_every_command_of_the_registry_guide(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    blocks = re.findall(r"^```sh\n(.*?)^```$", (REPOSITORY / "docs" / "registry.md").read_text(), re.M | re.S)
    script = "set -euo pipefail\n" + "".join(f"echo '>>> {i}'\n{block}" for i, block in enumerate(blocks))
    result = run_command(["bash", "-c", script.replace("5001", str(free_port()))], tmp_path, cwd=project)
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    said = dict(zip(range(len(blocks)), result.stdout.split(">>> ")[1:], strict=True))
    (train, table, better, sure, back, tree, replayed, predicted, scored, served, by_mlflow, keras) = said.values()
    assert "promoted, because there was no champion" in train
    assert "approved" in table
    assert "exact McNemar test: p = " in better
    assert "promoted, because promote is always" in sure
    assert "Rolled back: champion of digits-mlp is version" in back
    assert "packages" in tree
    assert "dentical" in replayed
    assert "Predicted 360 rows with models:/digits-mlp/" in predicted
    assert '"probability_9"' in predicted
    assert "on these 360 rows" in scored
    assert "on the test rows: within noise" in scored
    assert served.count("[[") == 1
    assert '"predictions"' in (project / "answer.json").read_text()
    assert by_mlflow
    assert "(None, 10)" in keras
