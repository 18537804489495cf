from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from steps.mlp.config import MLPConfig
from steps.mlp.model import BATCH_NORM_EPSILON, build_model
from steps.mlp.network import Network, _batch_norm, _gelu

BATCH = 32


@pytest.fixture
def network() -> Network:
    config = MLPConfig(units=(64, 100), dropout=0.25, input_dropout=0.5)
    return Network(config, build_model(config, 40, 3, feature_max=1.0, seed=0), "float32")


def drop(network: Network, rate: float, *, epoch: int = 0, step: int = 0, layer: int = 1) -> np.ndarray:
    """Ones after the dropout of one layer in one update."""
    banks = network.draw_banks(tf.constant([epoch, 7]), BATCH)
    return network.masks(banks, tf.constant([step, 8]), BATCH).drop(tf.ones((BATCH, 100)), rate, layer).numpy()


def test_dropout_drops_its_share_and_keeps_the_mean(network: Network) -> None:
    for rate in (0.25, 0.5):
        masks = np.stack([drop(network, rate, epoch=epoch) for epoch in range(20)])
        assert set(np.unique(masks)) == {0.0, np.float32(1 / (1 - rate))}
        assert (masks == 0).mean() == pytest.approx(rate, abs=0.01)
        assert masks.mean() == pytest.approx(1, abs=0.02)


def test_every_update_layer_and_epoch_has_its_own_mask(network: Network) -> None:
    masks = [
        drop(network, 0.25),
        drop(network, 0.25, step=1),
        drop(network, 0.25, layer=2),
        drop(network, 0.25, epoch=1),
    ]
    agreement = [(a == b).mean() for i, a in enumerate(masks) for b in masks[:i]]
    np.testing.assert_allclose(agreement, 0.75**2 + 0.25**2, atol=0.05)  # as two independent masks agree
    np.testing.assert_array_equal(masks[0], drop(network, 0.25))


def test_no_dropout_is_no_operation() -> None:
    config = MLPConfig(units=(8,), dropout=0.0)
    network = Network(config, build_model(config, 4, 3, feature_max=1.0, seed=0), "float32")
    assert drop(network, 0.0).min() == 1


def test_batch_norm_is_that_of_tensorflow_with_its_gradient() -> None:
    rng = np.random.default_rng(0)
    x, dy = (tf.constant(rng.normal(2, 3, (BATCH, 100)), tf.float32) for _ in range(2))
    gamma, beta = (tf.constant(rng.normal(1, 0.5, 100), tf.float32) for _ in range(2))

    def theirs(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tuple[tf.Tensor, ...]:
        y, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            x[:, None, None, :], gamma, beta, epsilon=BATCH_NORM_EPSILON, is_training=True
        )
        return y[:, 0, 0, :], mean, variance

    found = []
    for norm in (_batch_norm, theirs):
        with tf.GradientTape() as tape:
            tape.watch(given := (x, gamma, beta))
            y, mean, variance = norm(*given)
        found.append([y, mean, variance, *tape.gradient(y, given, dy)])
    for ours, reference in zip(*found, strict=True):
        np.testing.assert_allclose(ours, reference, rtol=1e-4, atol=1e-4)


def test_gelu_is_that_of_tensorflow_with_its_gradient() -> None:
    x, dy = tf.constant(np.linspace(-8, 8, 1001), tf.float32), tf.random.stateless_normal((1001,), (0, 0))
    found = []
    for gelu in (_gelu, tf.nn.gelu):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = gelu(x)
        found.append([y, tape.gradient(y, x, dy)])
    for ours, reference in zip(*found, strict=True):
        np.testing.assert_allclose(ours, reference, rtol=1e-5, atol=1e-6)
