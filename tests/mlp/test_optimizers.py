"""The fused updates are those of Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from steps.mlp.config import MLPConfig
from steps.mlp.optimizers import Optimizer, learning_rate_at

RATE = 0.01
KERAS = {
    "adam": lambda: keras.optimizers.Adam(RATE),
    "adamw": lambda: keras.optimizers.AdamW(RATE, weight_decay=0.1),
    "sgd": lambda: keras.optimizers.SGD(RATE, momentum=0.9, nesterov=True, weight_decay=0.1),
    "rmsprop": lambda: keras.optimizers.RMSprop(RATE),
}


@pytest.mark.parametrize("name", KERAS)
def test_updates_equal_those_of_keras(name: str) -> None:
    random = np.random.default_rng(0)
    start = random.normal(size=(6, 4)).astype(np.float32)
    gradients = random.normal(size=(5, 6, 4)).astype(np.float32)
    ours, theirs = tf.Variable(start), keras.Variable(start)
    updater = Optimizer(MLPConfig(optimizer=name, weight_decay=0.1, momentum=0.9), [ours])  # type: ignore[arg-type]
    optimizer = KERAS[name]()
    for i, gradient in enumerate(gradients):
        updater.apply([tf.constant(gradient)], tf.constant(RATE), tf.constant(i))
        optimizer.apply([tf.constant(gradient)], [theirs])
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-4, atol=2e-5)


def test_weight_decay_leaves_biases_alone() -> None:
    bias = tf.Variable([1.0, 2.0])
    Optimizer(MLPConfig(optimizer="sgd", weight_decay=0.5), [bias]).apply(
        [tf.zeros(2)], tf.constant(1.0), tf.constant(0)
    )
    np.testing.assert_array_equal(bias.numpy(), [1.0, 2.0])


def test_the_schedule_is_relative_to_the_budget() -> None:
    config = MLPConfig(learning_rate=1.0, warmup=0.1)
    for n_steps in (100, 1000):
        rates = [float(learning_rate_at(config, tf.constant(s), n_steps)) for s in range(n_steps)]
        assert max(rates) == pytest.approx(1.0)
        assert rates.index(max(rates)) == n_steps // 10 - 1
        assert rates[n_steps * 55 // 100] == pytest.approx(0.5, abs=0.01)
        assert rates[-1] < 0.01
