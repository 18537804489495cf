"""Graphs compiled by XLA, as on a GPU. Here they run on the CPU."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from steps.datasets.interface import Interface
from steps.datasets.tabular.target import Target
from steps.mlp import graphs
from steps.mlp.config import MLPConfig
from steps.mlp.runtime import MOST_PARTS
from steps.mlp.trainer import Samples, Trainer
from tests.mlp.tables import CATEGORIES, PRICES, rows

N = 300
PIXELS = Interface(Target("classification", class_names=("a", "b", "c")), 64, np.dtype("uint8"), 255.0, (8, 8))
CODE = """
from steps.base.libraries import import_tensorflow
import_tensorflow()
from steps.mlp import graphs
from tests.mlp.test_graphs import trained
graphs.compiles_for_gpu = lambda: True
for scale in (1, 2):
    trained(learning_rate=0.001 * scale, dropout=0.2 * scale, seed=scale, epochs=3)
"""


def trained(
    interface: Interface = CATEGORIES, *, seed: int = 0, epochs: int = 2, threads: int = 1, **config: object
) -> list[float]:
    """Losses of the epochs of a training; all trainings share their graphs."""
    rng = np.random.default_rng(0)
    features = rng.integers(0, 256, (N, 64)).astype(np.uint8) if interface.image_shape else rows(interface, N)
    is_number = interface.target.task == "regression"
    targets = rng.uniform(100, 900, N).astype(np.float32) if is_number else rng.integers(0, 3, N).astype(np.int32)
    samples = Samples(tf.constant(features), tf.constant(targets))
    trainer = Trainer(
        MLPConfig(**{"units": (16,), **config}), samples, samples, interface=interface, epochs=epochs, seed=seed,
        threads=threads, graphs=SHARED,
    )  # fmt: skip
    return [trainer.run_epoch().train_loss for _ in range(epochs)]


SHARED = graphs.Graphs()


@pytest.mark.parametrize(
    ("interface", "config"),
    [
        (
            CATEGORIES,
            {"n_bins": 8, "n_members": 4, "input_scale": 6.0, "batch_norm": False, "input_dropout": 0.1, "threads": 3},
        ),
        (PRICES, {"optimizer": "rmsprop", "schedule": "coslog4", "target_scale": "log"}),
        (PIXELS, {"optimizer": "sgd", "class_weight": "balanced", "label_smoothing": 0.1}),
    ],
    ids=["members", "numbers", "images"],
)
def test_a_compiled_epoch_is_that_of_the_graph(
    interface: Interface, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "SHARED", graphs.Graphs())
    expected = trained(interface, **config)
    monkeypatch.setattr(sys.modules[__name__], "SHARED", graphs.Graphs())
    monkeypatch.setattr(graphs, "compiles_for_gpu", lambda: True)
    np.testing.assert_allclose(trained(interface, **config), expected, rtol=1e-4)


def test_no_two_parts_of_a_stream_have_a_random_number_in_common() -> None:
    run = graphs.Run({}, {"augment": tf.constant(7)}, *(tf.constant(1) for _ in range(3)))
    keys = [
        tuple((graphs.of_part(run.key("augment", tf.constant(step)), part) + tf.constant([0, tensor])).numpy())
        for step in range(3) for part in range(MOST_PARTS) for tensor in range(2)  # elastic distortions need two
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)


@pytest.mark.slow
@pytest.mark.parametrize("augmentation", ["shift", "affine", "elastic"])
def test_distortions_are_compiled_with_it(augmentation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "SHARED", graphs.Graphs())
    expected = trained(PIXELS, augmentation=augmentation)
    monkeypatch.setattr(sys.modules[__name__], "SHARED", graphs.Graphs())
    monkeypatch.setattr(graphs, "compiles_for_gpu", lambda: True)
    np.testing.assert_allclose(trained(PIXELS, augmentation=augmentation), expected, rtol=0.1)  # other random numbers


@pytest.mark.slow
def test_all_epochs_of_all_trainings_are_compiled_once() -> None:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0", "TF_CPP_VMODULE": "device_compiler=1"}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr.count("Compilation of XLA executable") == 1
