"""Operations of the training graph, each with its gradient.

An operation returns its output and its pullback, which maps the gradient of that output to those of the input and of
the variables. A new one needs no hand-written gradient: `traced` takes it from a tape. Operations that profiling found
hot have their own. (`tf.custom_gradient` keeps the graph of every trial in memory.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import tensorflow as tf

from steps.mlp.config import Activation
from steps.mlp.model import BATCH_NORM_EPSILON

# Gradient of the output -> gradients of the input and of the variables, in the order of the model.
Pullback = Callable[[tf.Tensor], tuple[tf.Tensor, list[tf.Tensor]]]
Step = tuple[tf.Tensor, Pullback]


def traced(function: Callable[[tf.Tensor], tf.Tensor], variables: Sequence[tf.Variable] = ()) -> Callable[..., Step]:
    """An operation without a hand-written gradient: a tape derives it while the graph is traced, at no cost afterwards.

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


def product(x: tf.Tensor, kernel: tf.Variable, dtype: tf.DType, *, is_first: bool = False) -> Step:
    """Matrix product (batch, n) x (n, units) in `dtype`, with float32 outside.

    Args:
        is_first: No variable comes before it, so that the gradient of the input is not needed.
    """
    a, b = tf.cast(x, dtype), tf.cast(kernel, dtype)

    def pullback(dy: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        dy = tf.cast(dy, dtype)
        of_x = dy if is_first else tf.cast(tf.matmul(dy, b, transpose_b=True), tf.float32)  # unused if first
        return of_x, [tf.cast(tf.matmul(a, dy, transpose_a=True), tf.float32)]

    return tf.cast(tf.matmul(a, b), tf.float32), pullback


def add(x: tf.Tensor, bias: tf.Tensor | tf.Variable) -> Step:
    """(batch, units) plus (units,)."""
    return tf.nn.bias_add(x, bias), lambda dy: (dy, [tf.raw_ops.BiasAddGrad(out_backprop=dy)])


def batch_norm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tuple[Step, tf.Tensor, tf.Tensor]:
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


def _silu(x: tf.Tensor) -> Step:
    """x times the logistic function (Elfwing et al. 2018)."""
    share = tf.sigmoid(x)
    y = x * share
    return y, lambda dy: (dy * (share + y * (1 - share)), [])


def _gelu(x: tf.Tensor) -> Step:
    """x times the normal distribution function (Hendrycks & Gimpel 2016); half the passes of TensorFlow's op."""
    share = 0.5 + 0.5 * tf.math.erf(x * math.sqrt(0.5))
    return x * share, lambda dy: (dy * (share + x * tf.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)), [])


ACTIVATIONS: dict[Activation, Callable[[tf.Tensor], Step]] = {
    "relu": traced(tf.nn.relu),
    "gelu": _gelu,
    "silu": _silu,
    "tanh": traced(tf.tanh),
}
