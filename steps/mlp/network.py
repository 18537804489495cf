"""The forward pass of the training graph, on the weights of a Keras model.

`keras.Model.__call__` would do the same in more and slower ops: here dropout cuts its masks out of a bank,
batch normalization makes fewer passes, and the matrix products may run in bfloat16.
A test holds the two equal at inference.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from steps.mlp.config import MLPConfig, Precision
from steps.mlp.model import BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM

_WINDOWS = 16  # length of a bank of dropout masks, in windows of the widest layer


@tf.custom_gradient
def _gelu(x: tf.Tensor) -> Any:
    """x times the normal distribution function (Hendrycks & Gimpel 2016); half the passes of TensorFlow's op."""
    below = 0.5 + 0.5 * tf.math.erf(x * math.sqrt(0.5))

    def gradient(dy: tf.Tensor) -> tf.Tensor:
        return dy * (below + x * tf.exp(-0.5 * x * x) / math.sqrt(2 * math.pi))

    return x * below, gradient


_ACTIVATIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "relu": tf.nn.relu,
    "gelu": _gelu,
    "silu": tf.nn.silu,
    "tanh": tf.nn.tanh,
}


@dataclass(frozen=True)
class Masks:
    """The dropout of one update: masks cut out of a bank that is drawn once per epoch.

    Random numbers for every activation of every update would take a tenth of the training time. A window at
    a random place of a long enough bank does the same for the model: no two updates of an epoch see the
    same mask at the same place, and every epoch draws anew.

    Attributes:
        banks: Dropout rate -> (length,) float32, 0 where dropped, else 1 / (share kept).
        starts: (n_layers + 1,) int32, where the window of each layer begins; the input comes first.
    """

    banks: dict[float, tf.Tensor]
    starts: tf.Tensor

    def drop(self, x: tf.Tensor, rate: float, layer: int) -> tf.Tensor:
        """(batch, units) -> (batch, units), some of them 0 and the others larger by as much."""
        if rate not in self.banks:
            return x
        batch, units = x.shape
        window = tf.slice(self.banks[rate], self.starts[layer : layer + 1], [batch * units])
        return x * tf.reshape(window, (batch, units))  # (batch * units,) -> (batch, units)


class Network:
    """Logits of an MLP for training and for evaluation; owns no weights."""

    def __init__(self, config: MLPConfig, model: keras.Model, precision: Precision) -> None:
        self._config = config
        self._widest = max(model.input_shape[1], *config.units)
        self._dense = [_variables(model.get_layer(f"dense_{i}")) for i in range(len(config.units))]
        self._output = _variables(model.get_layer("probabilities"))
        self._norms = (
            [_variables(model.get_layer(f"batch_norm_{i}")) for i in range(len(config.units))]
            if config.batch_norm
            else []
        )
        self._activation = _ACTIVATIONS[config.activation]
        self._dtype = tf.as_dtype(precision)

    def draw_banks(self, seed: tf.Tensor, batch_size: int) -> dict[float, tf.Tensor]:
        """The banks of one epoch, for `masks`; `seed` (2,) int32."""
        length = (_WINDOWS + 1) * batch_size * self._widest
        rates = {self._config.input_dropout, self._config.dropout}
        return {rate: _bank(rate, length, seed) for rate in rates if round(rate * 256)}

    def masks(self, banks: dict[float, tf.Tensor], seed: tf.Tensor, batch_size: int) -> Masks:
        """The masks of one update; `seed` (2,) int32."""
        shape, last = (len(self._dense) + 1,), _WINDOWS * batch_size * self._widest
        starts = tf.random.stateless_uniform(shape, seed, 0, last, tf.int32) if banks else tf.zeros(shape, tf.int32)
        return Masks(banks, starts)

    def logits(self, x: tf.Tensor, masks: Masks | None = None) -> tf.Tensor:
        """(batch, n_features) float32 -> (batch, n_classes) float32.

        With `masks` this is the training pass: dropout, and batch statistics that also move the running ones.
        """
        if masks is not None:
            x = masks.drop(x, self._config.input_dropout, 0)
        for i, dense in enumerate(self._dense):
            x = self._matmul(x, dense[0])
            x = self._normalize(x, i, training=masks is not None) if self._norms else tf.nn.bias_add(x, dense[1])
            x = self._activation(x)
            if masks is not None:
                x = masks.drop(x, self._config.dropout, i + 1)
        return tf.nn.bias_add(self._matmul(x, self._output[0]), self._output[1])

    def _matmul(self, x: tf.Tensor, kernel: tf.Variable) -> tf.Tensor:
        if self._dtype == tf.float32:
            return tf.matmul(x, kernel)
        return tf.cast(tf.matmul(tf.cast(x, self._dtype), tf.cast(kernel, self._dtype)), tf.float32)

    def _normalize(self, x: tf.Tensor, i: int, training: bool) -> tf.Tensor:
        gamma, beta, mean, variance = self._norms[i]
        if not training:
            scale = gamma * tf.math.rsqrt(variance + BATCH_NORM_EPSILON)
            return tf.nn.bias_add(x * scale, beta - mean * scale)
        y, batch_mean, batch_variance = _batch_norm(x, tf.convert_to_tensor(gamma), tf.convert_to_tensor(beta))
        mean.assign_sub((1 - BATCH_NORM_MOMENTUM) * (mean - batch_mean))
        variance.assign_sub((1 - BATCH_NORM_MOMENTUM) * (variance - batch_variance))
        return y


@tf.custom_gradient
def _batch_norm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> Any:
    """Batch normalization in training (Ioffe & Szegedy 2015), with half the passes over memory of TensorFlow's op.

    Means over the batch are products with a row of 1 / batch size.

    Args:
        x: (batch, units).
        gamma, beta: (units,).

    Returns:
        y (batch, units), and mean and variance (units,) of the batch, the variance without bias; the gradient
        is that of y.
    """
    n = x.shape[0]
    row = tf.fill((1, n), 1.0 / n)
    mean = (row @ x)[0]
    centered = x - mean
    variance = (row @ (centered * centered))[0]
    inverse = tf.math.rsqrt(variance + BATCH_NORM_EPSILON)
    scale = gamma * inverse

    def gradient(dy: tf.Tensor, *_: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        of_beta = (row @ dy)[0]
        of_gamma = (row @ (dy * centered))[0] * inverse
        of_x = scale * dy - (centered * (scale * inverse * of_gamma) + scale * of_beta)
        return of_x, n * of_gamma, n * of_beta

    return (tf.nn.bias_add(centered * scale, beta), mean, variance * (n / max(1, n - 1))), gradient


def _variables(layer: keras.Layer) -> list[tf.Variable]:
    return [variable.value for variable in layer.weights]


def _bank(rate: float, length: int, seed: tf.Tensor) -> tf.Tensor:
    """(length,) float32 for inverted dropout at `rate`, rounded to 1/256: one random byte per element."""
    dropped = round(rate * 256)
    words = tf.random.stateless_uniform((-(-length // 4),), seed, None, None, tf.uint32)
    noise = tf.reshape(tf.bitcast(words, tf.uint8), (-1,))[:length]  # (words, 4) -> (length,)
    return tf.cast(noise >= tf.constant(dropped, tf.uint8), tf.float32) * (256 / (256 - dropped))
