from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from steps.datasets.interface import Interface
from steps.mlp.config import Activation, MLPConfig, Precision
from steps.mlp.model import BATCH_NORM_EPSILON, build_model
from steps.mlp.network import Network, layers_of
from steps.mlp.operations import batch_norm, traced
from tests.mlp.tables import CATEGORIES, NUMBERS, rows

BATCH = 32
# Error allowed in a gradient, relative to the largest of its variable: some units of float32 for sums in another order,
# which bfloat16, of 8 significant bits, rounds to at most one of its own units.
RATES = {"dropout": tf.constant(0.25), "input_dropout": tf.constant(0.5)}
TOLERANCE = {"float32": 32 * 2.0**-23, "bfloat16": 2.0**-7}


@pytest.fixture
def network() -> Network:
    config = MLPConfig(units=(64, 100), dropout=0.25, input_dropout=0.5)
    return Network(config, layers_of(build_model(config, NUMBERS, seed=0)), NUMBERS, "float32")


def drop(network: Network, name: str, *, epoch: int = 0, step: int = 0, layer: int = 1) -> np.ndarray:
    """Ones after the dropout of one layer in one update."""
    banks = network.draw_banks(RATES, tf.constant([epoch, 7]), BATCH)
    width = 40 if name == "input_dropout" else 100
    return network.masks(banks, tf.constant([step, 8])).drop(tf.ones((BATCH, width)), name, layer)[0].numpy()


def test_dropout_drops_its_share_and_keeps_the_mean(network: Network) -> None:
    for name, rate in (("dropout", 0.25), ("input_dropout", 0.5)):
        masks = np.stack([drop(network, name, epoch=epoch) for epoch in range(20)])
        assert set(np.unique(masks)) == {0.0, np.float32(1 / (1 - rate))}
        assert (masks == 0).mean() == pytest.approx(rate, abs=0.01)
        assert masks.mean() == pytest.approx(1, abs=0.02)


def test_every_update_layer_and_epoch_has_its_own_mask(network: Network) -> None:
    masks = [
        drop(network, "dropout"),
        drop(network, "dropout", step=1),
        drop(network, "dropout", layer=2),
        drop(network, "dropout", epoch=1),
    ]
    agreement = [(a == b).mean() for i, a in enumerate(masks) for b in masks[:i]]
    np.testing.assert_allclose(agreement, 0.75**2 + 0.25**2, atol=0.05)  # as two independent masks agree
    np.testing.assert_array_equal(masks[0], drop(network, "dropout"))


def test_no_dropout_is_no_operation() -> None:
    config = MLPConfig(units=(8,), dropout=0.0)
    network = Network(config, layers_of(build_model(config, NUMBERS, seed=0)), NUMBERS, "float32")
    assert drop(network, "dropout").min() == 1


@pytest.mark.parametrize("precision", get_args(Precision))
@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("activation", get_args(Activation))
@pytest.mark.parametrize(
    ("interface", "members"), [(NUMBERS, 1), (CATEGORIES, 4)], ids=["numbers", "categories of members"]
)
def test_the_gradients_are_those_of_a_tape(
    interface: Interface, members: int, activation: Activation, batch_norm: bool, precision: Precision
) -> None:
    config = MLPConfig(
        (64, 48), activation, dropout=0.25, input_dropout=0.5, batch_norm=batch_norm, n_bins=8, n_members=members,
        input_scale=members - 1.0,
    )  # fmt: skip
    model = build_model(config, interface, seed=0)
    network = Network(config, layers_of(model), interface, precision)
    x, dy = tf.constant(rows(interface, BATCH)), tf.random.stateless_normal((BATCH * members, 3), (0, 2))
    masks = network.masks(network.draw_banks(RATES, tf.constant([0, 7]), BATCH), tf.constant([0, 8]))
    with tf.GradientTape() as tape:
        logits, gradients = network.train(x, masks)
    expected = tape.gradient(logits, [variable.value for variable in model.trainable_variables], dy)
    for ours, reference in zip(gradients(dy), map(tf.convert_to_tensor, expected), strict=True):
        np.testing.assert_allclose(ours, reference, rtol=0, atol=TOLERANCE[precision] * np.abs(reference).max())


def test_batch_norm_is_that_of_tensorflow_with_its_gradient() -> None:
    rng = np.random.default_rng(0)
    x, dy = (tf.constant(rng.normal(2, 3, (BATCH, 100)), tf.float32) for _ in range(2))
    gamma, beta = (tf.constant(rng.normal(1, 0.5, 100), tf.float32) for _ in range(2))
    (y, pullback), *moments = batch_norm(x, gamma, beta)
    of_x, of_parameters = pullback(dy)
    with tf.GradientTape() as tape:
        tape.watch(given := (x, gamma, beta))
        theirs, *their_moments = tf.compat.v1.nn.fused_batch_norm(
            x[:, None, None, :], gamma, beta, epsilon=BATCH_NORM_EPSILON, is_training=True
        )
    expected = tape.gradient(theirs, given, dy[:, None, None, :])
    pairs = zip([y, *moments, of_x, *of_parameters], [theirs[:, 0, 0, :], *their_moments, *expected], strict=True)
    for ours, reference in pairs:
        np.testing.assert_allclose(ours, reference, rtol=1e-4, atol=1e-4)


def test_a_new_step_costs_no_gradient_by_hand() -> None:
    """A layer norm with a gather in it, whose gradient by the variable comes in slices, inside a traced loop."""
    scale = tf.Variable(tf.random.stateless_normal((5,), (0, 3)))
    unused = tf.Variable(1.0)

    def layer_norm(x: tf.Tensor) -> tf.Tensor:
        centered = x - tf.reduce_mean(x, 1, keepdims=True)
        share = tf.math.rsqrt(tf.reduce_mean(centered**2, 1, keepdims=True) + 1e-3)
        return centered * share * tf.gather(scale, [0, 2, 2, 4])

    step = traced(layer_norm, [scale, unused])
    x, dy = tf.random.stateless_normal((BATCH, 4), (0, 1)), tf.random.stateless_normal((BATCH, 4), (0, 2))

    @tf.function
    def gradients() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        def body(i: tf.Tensor, *_: tf.Tensor) -> tuple[tf.Tensor, ...]:
            of_x, (of_scale, of_unused) = step(x)[1](dy)
            return i + 1, of_x, of_scale, of_unused

        zero = (tf.constant(0), tf.zeros_like(x), tf.zeros(5), tf.constant(1.0))
        return tf.while_loop(lambda i, *_: i < 2, body, zero)[1:]

    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer_norm(x)
    of_x, of_scale = tape.gradient(y, [x, scale], dy)
    found = gradients()
    np.testing.assert_allclose(found[0], of_x, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[1], tf.convert_to_tensor(of_scale), rtol=1e-5, atol=1e-6)
    assert found[2].numpy() == 0
