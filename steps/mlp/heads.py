"""Heads by task: the output layer of an MLP, its loss with the gradient with respect to the logits, and its outputs."""

from __future__ import annotations

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
        """(batch, units) -> outputs (batch, n_outputs): untrained dense layer `OUTPUT_LAYER`, units."""

    def loss(self, logits: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Losses (batch,) of logits (batch, n_outputs) and targets (batch,), and their gradients w.r.t. the logits."""

    def outputs(self, logits: tf.Tensor) -> tf.Tensor:
        """(n, n_outputs) logits -> the outputs of the Keras model."""


@dataclass(frozen=True)
class Softmax:
    """Class probabilities, trained by cross-entropy with label smoothing; targets are class numbers (int32)."""

    target: Target
    config: MLPConfig

    @property
    def n_outputs(self) -> int:
        return len(self.target.class_names)

    def attach(self, x: keras.KerasTensor, seed: int) -> keras.KerasTensor:
        return _output(self.n_outputs, "softmax", seed)(x)

    def loss(self, logits: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        smoothing = self.config.label_smoothing
        spread = smoothing / self.n_outputs
        smooth = tf.one_hot(targets, self.n_outputs, 1 - smoothing + spread, spread)
        losses, slopes = tf.raw_ops.SoftmaxCrossEntropyWithLogits(features=logits, labels=smooth)
        return losses, slopes

    def outputs(self, logits: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(logits)


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
        x = keras.layers.Rescaling(std, mean, name="units")(_output(1, "linear", seed)(x))
        return keras.ops.clip(keras.ops.expm1(x) if self._is_log else x, self.target.low, self.target.high)

    def loss(self, logits: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mean, std = self._moments
        scaled = tf.math.log1p(targets) if self._is_log else targets
        errors = logits - tf.expand_dims((scaled - mean) / std, 1)  # (batch, 1)
        return errors[:, 0] ** 2, 2 * errors

    def outputs(self, logits: tf.Tensor) -> tf.Tensor:
        mean, std = self._moments
        scaled = logits * std + mean
        return tf.clip_by_value(tf.math.expm1(scaled) if self._is_log else scaled, self.target.low, self.target.high)


def _output(width: int, activation: str, seed: int) -> keras.Layer:
    kernel = keras.initializers.GlorotUniform(seed)
    return keras.layers.Dense(width, activation=activation, kernel_initializer=kernel, name=OUTPUT_LAYER)


HEADS: dict[str, Callable[[Target, MLPConfig], Head]] = {"classification": Softmax, "regression": Linear}


def make_head(target: Target, config: MLPConfig) -> Head:
    return HEADS[target.task](target, config)
