"""Heads by task: the output layer of an MLP, its loss with the gradient with respect to the logits, and its outputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import keras
import tensorflow as tf

from steps.datasets.tabular.target import Target
from steps.mlp.config import MLPConfig

OUTPUT_LAYER = "output"


class Head(Protocol):
    """The last layer of an MLP and its loss.

    Attributes:
        n_outputs: Width of the output layer.
    """

    @property
    def n_outputs(self) -> int: ...

    def attach(self, x: keras.KerasTensor, seed: int) -> keras.KerasTensor:
        """(batch, units), or (batch, n_members, units) -> outputs (batch, n_outputs), by the layer `OUTPUT_LAYER`."""

    def loss(self, logits: tf.Tensor, targets: tf.Tensor, label_smoothing: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Losses (batch,) of logits (batch, n_outputs) and targets (batch,), and their gradients w.r.t. the logits."""

    def outputs(self, logits: tf.Tensor) -> tf.Tensor:
        """(n * n_members, n_outputs) logits -> the outputs (n, n_outputs) of the Keras model."""


@dataclass(frozen=True)
class Softmax:
    """Class probabilities, trained by cross-entropy with label smoothing; targets are class numbers (int32)."""

    target: Target
    config: MLPConfig

    @property
    def n_outputs(self) -> int:
        return len(self.target.class_names)

    def attach(self, x: keras.KerasTensor, seed: int) -> keras.KerasTensor:
        return _output(x, self.n_outputs, "softmax", seed)

    def loss(self, logits: tf.Tensor, targets: tf.Tensor, label_smoothing: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        spread = label_smoothing / self.n_outputs
        smooth = tf.one_hot(targets, self.n_outputs, 1 - label_smoothing + spread, spread)
        losses, slopes = tf.raw_ops.SoftmaxCrossEntropyWithLogits(features=logits, labels=smooth)
        return losses, slopes

    def outputs(self, logits: tf.Tensor) -> tf.Tensor:
        return _mean(tf.nn.softmax(logits), self.config.n_members)


@dataclass(frozen=True)
class Linear:
    """A number in its own units, trained by the squared error of the standardized target.

    Outputs are clipped to the range of the training targets: an MLP does not extrapolate sensibly.
    """

    target: Target
    config: MLPConfig

    n_outputs = 1

    @property
    def _is_log(self) -> bool:
        return self.config.target_scale == "log"

    @property
    def _moments(self) -> tuple[float, float]:
        """Mean and standard deviation of the target on its scale."""
        return (self.target.log_mean, self.target.log_std) if self._is_log else (self.target.mean, self.target.std)

    def attach(self, x: keras.KerasTensor, seed: int) -> keras.KerasTensor:
        mean, std = self._moments
        x = keras.layers.Rescaling(std, mean, name="units")(_output(x, 1, "linear", seed))
        return keras.ops.clip(keras.ops.expm1(x) if self._is_log else x, self.target.low, self.target.high)

    def loss(self, logits: tf.Tensor, targets: tf.Tensor, label_smoothing: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mean, std = self._moments
        scaled = tf.math.log1p(targets) if self._is_log else targets
        errors = logits - tf.expand_dims((scaled - mean) / std, 1)  # (batch, 1)
        return errors[:, 0] ** 2, 2 * errors

    def outputs(self, logits: tf.Tensor) -> tf.Tensor:
        mean, std = self._moments
        scaled = _mean(logits, self.config.n_members) * std + mean
        return tf.clip_by_value(tf.math.expm1(scaled) if self._is_log else scaled, self.target.low, self.target.high)


def _output(x: keras.KerasTensor, width: int, activation: str, seed: int) -> keras.KerasTensor:
    """One output layer, or the mean of those of the members."""
    kernel = keras.initializers.GlorotUniform(seed)
    if len(x.shape) == 2:
        return keras.layers.Dense(width, activation=activation, kernel_initializer=kernel, name=OUTPUT_LAYER)(x)
    members = x.shape[1]
    # The fans of a kernel of three dimensions would count the members.
    limit = math.sqrt(6 / (x.shape[2] + width))
    x = keras.layers.EinsumDense(
        "bku,kuc->bkc",
        (members, width),
        activation=activation,
        bias_axes="kc",
        kernel_initializer=keras.initializers.RandomUniform(-limit, limit, seed),
        name=OUTPUT_LAYER,
    )(x)
    return keras.layers.GlobalAveragePooling1D(name="mean_of_members")(x)


def _mean(outputs: tf.Tensor, n_members: int) -> tf.Tensor:
    """(n * n_members, n_outputs) -> (n, n_outputs)."""
    if n_members == 1:
        return outputs
    return tf.reduce_mean(tf.reshape(outputs, (-1, n_members, outputs.shape[1])), 1)


HEADS: dict[str, Callable[[Target, MLPConfig], Head]] = {"classification": Softmax, "regression": Linear}


def make_head(target: Target, config: MLPConfig) -> Head:
    return HEADS[target.task](target, config)
