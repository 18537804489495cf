"""The fused updates are those of Keras."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import pytest
import tensorflow as tf

from steps.mlp.config import MLPConfig
from steps.mlp.optimizers import Optimizer, learning_rate_at, scalars_of, zero_slots

RATE = 0.01
KERAS = {
    "adam": lambda: keras.optimizers.Adam(RATE),
    "adamw": lambda: keras.optimizers.AdamW(RATE, weight_decay=0.1),
    "sgd": lambda: keras.optimizers.SGD(RATE, momentum=0.9, nesterov=True, weight_decay=0.1),
    "rmsprop": lambda: keras.optimizers.RMSprop(RATE),
}


def optimizer_of(config: MLPConfig, *variables: tf.Variable, **groups: Sequence[tf.Variable]) -> Optimizer:
    return Optimizer(config, scalars_of(config), variables, zero_slots(config, variables), **groups)


@pytest.mark.parametrize("name", KERAS)
def test_updates_equal_those_of_keras(name: str) -> None:
    random = np.random.default_rng(0)
    start = random.normal(size=(6, 4)).astype(np.float32)
    gradients = random.normal(size=(5, 6, 4)).astype(np.float32)
    ours, theirs = tf.Variable(start), keras.Variable(start)
    updater = optimizer_of(MLPConfig(optimizer=name, weight_decay=0.1, momentum=0.9), ours)  # type: ignore[arg-type]
    optimizer = KERAS[name]()
    for i, gradient in enumerate(gradients):
        updater.apply([tf.constant(gradient)], tf.constant(RATE), tf.constant(i))
        optimizer.apply([tf.constant(gradient)], [theirs])
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-4, atol=2e-5)


def test_weight_decay_leaves_biases_and_exempt_kernels_alone() -> None:
    bias, kernel, exempt = tf.Variable([1.0, 2.0]), tf.Variable([[1.0]]), tf.Variable([[1.0]])
    optimizer = optimizer_of(MLPConfig(optimizer="sgd", weight_decay=0.5), bias, kernel, exempt, exempt=[exempt])
    optimizer.apply([tf.zeros_like(v) for v in (bias, kernel, exempt)], tf.constant(1.0), tf.constant(0))
    np.testing.assert_array_equal(bias, [1.0, 2.0])
    np.testing.assert_array_equal([kernel[0, 0], exempt[0, 0]], [0.5, 1.0])


def test_the_scale_of_the_inputs_has_a_learning_rate_of_its_own() -> None:
    scale, bias = tf.Variable([1.0, 1.0]), tf.Variable([1.0, 1.0])
    optimizer = optimizer_of(MLPConfig(optimizer="adam", input_scale=6.0), scale, bias, input_scale=[scale])
    optimizer.apply([tf.constant([1.0, -1.0])] * 2, tf.constant(0.01), tf.constant(0))
    np.testing.assert_allclose(scale, [0.94, 1.06], rtol=1e-5)  # the first update of Adam is the learning rate
    np.testing.assert_allclose(bias, [0.99, 1.01], rtol=1e-5)


def rates(config: MLPConfig, n_steps: int) -> np.ndarray:
    scalars = scalars_of(config)
    return np.array([learning_rate_at(config, scalars, tf.constant(s), tf.constant(n_steps)) for s in range(n_steps)])


def test_the_schedule_is_relative_to_the_budget() -> None:
    for n_steps in (100, 1000):
        found = rates(MLPConfig(learning_rate=1.0, warmup=0.1), n_steps)
        assert found.max() == pytest.approx(1.0)
        assert found.argmax() == n_steps // 10 - 1
        assert found[n_steps * 55 // 100] == pytest.approx(0.5, abs=0.01)
        assert found[-1] < 0.01


def test_coslog4_has_four_cycles_each_twice_as_long_as_the_one_before() -> None:
    n = 1500
    found = rates(MLPConfig(learning_rate=1.0, warmup=0.0, schedule="coslog4"), n)
    minima = [0] + [i for i in range(1, n - 1) if found[i] < min(found[i - 1], found[i + 1])]
    np.testing.assert_allclose(np.array(minima) / n, [0, 1 / 15, 3 / 15, 7 / 15], atol=2 / n)
    assert found[-1] < 1e-3
    assert found.max() == pytest.approx(1, abs=1e-3)
