"""The forward pass of the training graph, on the weights of a Keras model.

`keras.Model.__call__` would do the same in more and slower ops: here dropout needs one random byte per
unit, batch normalization is one fused op, and the matrix products may run in bfloat16.
A test holds the two equal at inference.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from steps.mlp.config import MLPConfig, Precision
from steps.mlp.model import BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM

_ACTIVATIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "relu": tf.nn.relu,
    "gelu": lambda x: tf.nn.gelu(x, approximate=False),
    "silu": tf.nn.silu,
    "tanh": tf.nn.tanh,
}


class Network:
    """Logits of an MLP for training and for evaluation; owns no weights."""

    def __init__(self, config: MLPConfig, model: keras.Model, precision: Precision) -> None:
        self._config = config
        self._dense = [_variables(model.get_layer(f"dense_{i}")) for i in range(len(config.units))]
        self._output = _variables(model.get_layer("probabilities"))
        self._norms = (
            [_variables(model.get_layer(f"batch_norm_{i}")) for i in range(len(config.units))]
            if config.batch_norm
            else []
        )
        self._activation = _ACTIVATIONS[config.activation]
        self._dtype = tf.as_dtype(precision)

    def logits(self, x: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """(batch, n_features) float32 -> (batch, n_classes) float32.

        With a `seed` (2,) int32 this is the training pass: dropout, and batch statistics that also
        move the running ones.
        """
        if seed is not None:
            x = _dropout(x, self._config.input_dropout, seed)
        for i, dense in enumerate(self._dense):
            x = self._matmul(x, dense[0])
            x = self._normalize(x, i, training=seed is not None) if self._norms else tf.nn.bias_add(x, dense[1])
            x = self._activation(x)
            if seed is not None:
                x = _dropout(x, self._config.dropout, seed + tf.constant([0, i + 1]))
        return tf.nn.bias_add(self._matmul(x, self._output[0]), self._output[1])

    def _matmul(self, x: tf.Tensor, kernel: tf.Variable) -> tf.Tensor:
        if self._dtype == tf.float32:
            return tf.matmul(x, kernel)
        return tf.cast(tf.matmul(tf.cast(x, self._dtype), tf.cast(kernel, self._dtype)), tf.float32)

    def _normalize(self, x: tf.Tensor, i: int, training: bool) -> tf.Tensor:
        gamma, beta, mean, variance = self._norms[i]
        x = x[:, None, None, :]  # (batch, units) -> (batch, 1, 1, units), the layout of the fused op
        if not training:
            y, *_ = tf.compat.v1.nn.fused_batch_norm(
                x, gamma, beta, mean, variance, epsilon=BATCH_NORM_EPSILON, is_training=False
            )
        else:
            y, batch_mean, batch_variance = tf.compat.v1.nn.fused_batch_norm(
                x, gamma, beta, epsilon=BATCH_NORM_EPSILON, is_training=True
            )
            mean.assign_sub((1 - BATCH_NORM_MOMENTUM) * (mean - batch_mean))
            variance.assign_sub((1 - BATCH_NORM_MOMENTUM) * (variance - batch_variance))
        return y[:, 0, 0, :]


def _variables(layer: keras.Layer) -> list[tf.Variable]:
    return [variable.value for variable in layer.weights]


def _dropout(x: tf.Tensor, rate: float, seed: tf.Tensor) -> tf.Tensor:
    """Inverted dropout at `rate`, rounded to 1/256, with one random byte per element."""
    dropped = round(rate * 256)
    if dropped == 0:
        return x
    units = x.shape[1]
    words = tf.random.stateless_uniform((tf.shape(x)[0], -(-units // 4)), seed, None, None, tf.uint32)
    noise = tf.reshape(tf.bitcast(words, tf.uint8), (tf.shape(x)[0], -1))[:, :units]  # (batch, units)
    return x * (tf.cast(noise >= tf.constant(dropped, tf.uint8), tf.float32) * (256 / (256 - dropped)))
