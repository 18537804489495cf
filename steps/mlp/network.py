"""The training graph of an MLP, forward and backward, on the weights of a Keras model.

`keras.Model.__call__` and a gradient tape would do the same in more and slower ops: here, dropout cuts its masks out of
a bank, batch normalization and activations make fewer passes, and matrix products may run in bfloat16. Each step
returns its output and its pullback, which maps the gradient of that output to those of the inputs and variables. A new
step needs no hand-written gradient: `traced` takes it from a tape. Steps that profiling found hot have their own.
(`tf.custom_gradient` keeps the graph of every trial in memory.) Tests compare the graph with the Keras model at
inference and with a tape in training.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import tensorflow as tf

from steps.datasets.interface import Interface
from steps.mlp.config import MLPConfig, Precision
from steps.mlp.heads import OUTPUT_LAYER
from steps.mlp.model import BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM, EMBEDDING

_WINDOWS = 16  # length of a bank of dropout masks, in windows of the widest layer
# Gradient of the output -> gradients of the input and of the variables of the step, in the order of the model.
Pullback = Callable[[tf.Tensor], tuple[tf.Tensor, list[tf.Tensor]]]
Step = tuple[tf.Tensor, Pullback]


@dataclass(frozen=True)
class Masks:
    """The dropout of one update: masks cut out of a bank that is drawn once per epoch.

    Random numbers for every activation of every update would take a tenth of the training time. A window at a random
    position of a sufficiently long bank serves the same purpose: no two updates of an epoch have the same mask at the
    same position, and every epoch draws a new bank.

    Attributes:
        banks: Dropout rate -> (length,) float32: 0 if dropped, else 1 / (share kept).
        starts: (n_layers + 1,) int32, start of the window of each layer; the input comes first.
    """

    banks: dict[float, tf.Tensor]
    starts: tf.Tensor

    def drop(self, x: tf.Tensor, rate: float, layer: int) -> Step:
        """(batch, units) -> (batch, units), with some set to 0 and the others scaled up to compensate."""
        if rate not in self.banks:
            return x, lambda dy: (dy, [])
        batch, units = x.shape
        window = tf.slice(self.banks[rate], self.starts[layer : layer + 1], [batch * units])
        mask = tf.reshape(window, (batch, units))  # (batch * units,) -> (batch, units)
        return x * mask, lambda dy: (dy * mask, [])


class Network:
    """Logits of an MLP for training and for evaluation; owns no weights."""

    def __init__(self, config: MLPConfig, model: keras.Model, interface: Interface, precision: Precision) -> None:
        self._config, self._interface = config, interface
        self._n_numbers = interface.n_features - len(interface.level_counts)
        self._widest = max(self._n_numbers + len(interface.level_counts) * config.embedding_size, *config.units)
        self._embeddings = _variables(model.get_layer(EMBEDDING)) if interface.level_counts else []
        self._dense = [_variables(model.get_layer(f"dense_{i}")) for i in range(len(config.units))]
        self._output = _variables(model.get_layer(OUTPUT_LAYER))
        self._norms = (
            [_variables(model.get_layer(f"batch_norm_{i}")) for i in range(len(config.units))]
            if config.batch_norm
            else []
        )
        self._activation = _ACTIVATIONS[config.activation]
        self._dtype = tf.as_dtype(precision)

    def draw_banks(self, seed: tf.Tensor, batch_size: int) -> dict[float, tf.Tensor]:
        """The banks of one epoch, for `masks`; `seed`: (2,) int32."""
        length = (_WINDOWS + 1) * batch_size * self._widest
        rates = {self._config.input_dropout, self._config.dropout}
        return {rate: _bank(rate, length, seed) for rate in rates if round(rate * 256)}

    def masks(self, banks: dict[float, tf.Tensor], seed: tf.Tensor, batch_size: int) -> Masks:
        """The masks of one update; `seed`: (2,) int32."""
        shape, last = (len(self._dense) + 1,), _WINDOWS * batch_size * self._widest
        starts = tf.random.stateless_uniform(shape, seed, 0, last, tf.int32) if banks else tf.zeros(shape, tf.int32)
        return Masks(banks, starts)

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """(batch, n_features) float32 -> logits (batch, n_outputs) float32, at inference."""
        return self._forward(x, None)[0]

    def train(self, x: tf.Tensor, masks: Masks) -> tuple[tf.Tensor, Callable[[tf.Tensor], list[tf.Tensor]]]:
        """Forward pass in training: dropout, and batch statistics, which also update the running ones.

        Args:
            x: (batch, n_features) float32.

        Returns:
            Logits (batch, n_outputs) float32, and a function that maps the gradient of a loss with respect to the
            logits to its gradients with respect to `model.trainable_variables`.
        """
        logits, pullbacks = self._forward(x, masks)

        def gradients(dy: tf.Tensor) -> list[tf.Tensor]:
            found: list[tf.Tensor] = []
            for pullback in reversed(pullbacks):
                dy, own = pullback(dy)
                found = own + found
            return found

        return logits, gradients

    def _forward(self, x: tf.Tensor, masks: Masks | None) -> tuple[tf.Tensor, list[Pullback]]:
        pullbacks: list[Pullback] = []

        def after(step: Step) -> tf.Tensor:
            pullbacks.append(step[1])
            return step[0]

        x = after(self._embed(x))
        if masks is not None:
            x = after(masks.drop(x, self._config.input_dropout, 0))
        if not self._embeddings:
            pullbacks.clear()  # there is nothing to train before the first product
        for i, dense in enumerate(self._dense):
            x = after(self._product(x, dense[0], is_first=i == 0 and not self._embeddings))
            x = after(self._normalize(x, i, training=masks is not None) if self._norms else _add(x, dense[1]))
            x = after(self._activation(x))
            if masks is not None:
                x = after(masks.drop(x, self._config.dropout, i + 1))
        x = after(self._product(x, self._output[0]))
        return after(_add(x, self._output[1])), pullbacks

    def _embed(self, x: tf.Tensor) -> Step:
        """Features scaled to [0, 1], or unscaled numbers concatenated with the embedding of each category."""
        if not self._embeddings:
            return x * (1 / self._interface.feature_max), lambda dy: (dy, [])
        (table,) = self._embeddings

        def lookup(x: tf.Tensor) -> tf.Tensor:
            vectors = tf.gather(table, tf.cast(x[:, self._n_numbers :], tf.int32))  # (batch, n_codes, embedding_size)
            width = vectors.shape[1] * vectors.shape[2]
            return tf.concat([x[:, : self._n_numbers], tf.reshape(vectors, (-1, width))], axis=1)

        return traced(lookup, self._embeddings)(x)

    def _product(self, x: tf.Tensor, kernel: tf.Variable, *, is_first: bool = False) -> Step:
        a, b = tf.cast(x, self._dtype), tf.cast(kernel, self._dtype)

        def pullback(dy: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
            dy = tf.cast(dy, self._dtype)
            of_x = dy if is_first else tf.cast(tf.matmul(dy, b, transpose_b=True), tf.float32)  # unused if first
            return of_x, [tf.cast(tf.matmul(a, dy, transpose_a=True), tf.float32)]

        return tf.cast(tf.matmul(a, b), tf.float32), pullback

    def _normalize(self, x: tf.Tensor, i: int, training: bool) -> Step:
        gamma, beta, mean, variance = self._norms[i]
        if not training:
            scale = gamma * tf.math.rsqrt(variance + BATCH_NORM_EPSILON)
            return _add(x * scale, beta - mean * scale)
        step, batch_mean, batch_variance = _batch_norm(x, tf.convert_to_tensor(gamma), tf.convert_to_tensor(beta))
        mean.assign_sub((1 - BATCH_NORM_MOMENTUM) * (mean - batch_mean))
        variance.assign_sub((1 - BATCH_NORM_MOMENTUM) * (variance - batch_variance))
        return step


def _add(x: tf.Tensor, bias: tf.Tensor | tf.Variable) -> Step:
    return tf.nn.bias_add(x, bias), lambda dy: (dy, [tf.raw_ops.BiasAddGrad(out_backprop=dy)])


def _batch_norm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tuple[Step, tf.Tensor, tf.Tensor]:
    """Batch normalization in training (Ioffe & Szegedy 2015), with half the passes over memory of TensorFlow's op.

    Means over the batch are products with a row of 1 / batch size.

    Args:
        x: (batch, units).
        gamma, beta: (units,).

    Returns:
        The step to y (batch, units), and mean and unbiased variance (units,) of the batch.
    """
    n = x.shape[0]
    row = tf.fill((1, n), 1.0 / n)
    mean = (row @ x)[0]
    centered = x - mean
    variance = (row @ (centered * centered))[0]
    inverse = tf.math.rsqrt(variance + BATCH_NORM_EPSILON)
    scale = gamma * inverse

    def pullback(dy: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        of_beta = (row @ dy)[0]
        of_gamma = (row @ (dy * centered))[0] * inverse
        of_x = scale * dy - (centered * (scale * inverse * of_gamma) + scale * of_beta)
        return of_x, [n * of_gamma, n * of_beta]

    return (tf.nn.bias_add(centered * scale, beta), pullback), mean, variance * (n / max(1, n - 1))


def traced(function: Callable[[tf.Tensor], tf.Tensor], variables: Sequence[tf.Variable] = ()) -> Callable[..., Step]:
    """A step without a hand-written gradient: a tape derives it while the graph is traced, at no cost afterwards.

    Args:
        function: (batch, units) -> (batch, other units), built from TensorFlow's ops.
        variables: Trainable variables read by the function, in the order of the model.
    """

    def step(x: tf.Tensor) -> Step:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)

        def pullback(dy: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
            of_x, *of_variables = tape.gradient(y, [x, *variables], dy, tf.UnconnectedGradients.ZERO)
            return of_x, [tf.convert_to_tensor(gradient) for gradient in of_variables]  # an embedding's is sparse

        return y, pullback

    return step


def _silu(x: tf.Tensor) -> Step:
    """x times the logistic function (Elfwing et al. 2018)."""
    share = tf.sigmoid(x)
    y = x * share
    return y, lambda dy: (dy * (share + y * (1 - share)), [])


def _gelu(x: tf.Tensor) -> Step:
    """x times the normal distribution function (Hendrycks & Gimpel 2016); half the passes of TensorFlow's op."""
    share = 0.5 + 0.5 * tf.math.erf(x * math.sqrt(0.5))
    return x * share, lambda dy: (dy * (share + x * tf.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)), [])


_ACTIVATIONS: dict[str, Callable[[tf.Tensor], Step]] = {
    "relu": traced(tf.nn.relu),
    "gelu": _gelu,
    "silu": _silu,
    "tanh": traced(tf.tanh),
}


def _variables(layer: keras.Layer) -> list[tf.Variable]:
    return [variable.value for variable in layer.weights]


def _bank(rate: float, length: int, seed: tf.Tensor) -> tf.Tensor:
    """(length,) float32 for inverted dropout at `rate`, rounded to 1/256: one random byte per element."""
    dropped = round(rate * 256)
    words = tf.random.stateless_uniform((-(-length // 4),), seed, None, None, tf.uint32)
    noise = tf.reshape(tf.bitcast(words, tf.uint8), (-1,))[:length]  # (words, 4) -> (length,)
    return tf.cast(noise >= tf.constant(dropped, tf.uint8), tf.float32) * (256 / (256 - dropped))
