from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import tensorflow as tf

from steps.mlp import runtime
from steps.mlp.runtime import compiles_for_gpu, hardware, resolve_precision


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


@pytest.fixture
def a_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(runtime, "has_gpu", lambda: True)
    compiles_for_gpu.cache_clear()
    yield
    compiles_for_gpu.cache_clear()


@pytest.mark.usefixtures("a_gpu")
def test_xla_is_tried_once_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compiles_for_gpu()  # here for the CPU, which is where the operation runs
    monkeypatch.setattr(tf, "exp", None)
    assert compiles_for_gpu()


@pytest.mark.usefixtures("a_gpu")
def test_a_gpu_without_the_compiler_of_cuda_is_used_without_xla(monkeypatch: pytest.MonkeyPatch) -> None:
    def exp(_: tf.Tensor) -> tf.Tensor:
        raise tf.errors.InternalError(None, None, "libdevice not found at ./libdevice.10.bc")

    monkeypatch.setattr(tf, "exp", exp)
    assert not compiles_for_gpu()


def test_without_a_gpu_nothing_is_compiled_for_one() -> None:
    assert compiles_for_gpu() == runtime.has_gpu()
