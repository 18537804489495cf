from __future__ import annotations

import json
from pathlib import Path

from steps.mlp.runtime import hardware, resolve_precision


def test_auto_is_measured_once_and_kept(tmp_path: Path) -> None:
    first = resolve_precision("auto", tmp_path)
    (key,) = json.loads((tmp_path / "precision.json").read_text())
    assert str(hardware()["cpu_features"]) in key  # one processor name is given to machines with and without bfloat16
    other = {"float32": "bfloat16", "bfloat16": "float32"}[first]
    (tmp_path / "precision.json").write_text(json.dumps({key: other}))
    assert resolve_precision("auto", tmp_path) == other


def test_a_damaged_cache_is_measured_again(tmp_path: Path) -> None:
    for content in ("{", "[1]", "{}"):
        (tmp_path / "precision.json").write_text(content)
        assert resolve_precision("auto", tmp_path) in json.loads((tmp_path / "precision.json").read_text()).values()


def test_what_is_given_is_taken(tmp_path: Path) -> None:
    assert resolve_precision("bfloat16", tmp_path) == "bfloat16"
    assert not (tmp_path / "precision.json").exists()
