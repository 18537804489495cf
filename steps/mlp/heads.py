"""Heads by name: the output layer of an MLP, its loss with the gradient by the logits, and its outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import keras
import tensorflow as tf

from steps.mlp.config import MLPConfig

OUTPUT_LAYER = "output"


class Head(Protocol):
    """The last layer of an MLP and its loss.

    Attributes:
        n_outputs: Width of the output layer.
    """

    @property
    def n_outputs(self) -> int: ...

    def layer(self, seed: int) -> keras.Layer:
        """The untrained output layer, named `OUTPUT_LAYER`, with a kernel and a bias."""

    def loss(self, logits: tf.Tensor, targets: tf.Tensor, config: MLPConfig) -> tuple[tf.Tensor, tf.Tensor]:
        """Losses (batch,) of logits (batch, n_outputs) and targets (batch,), and the gradient of each by its logits."""

    def outputs(self, logits: tf.Tensor) -> tf.Tensor:
        """(n, n_outputs) logits -> the outputs of the Keras model."""


@dataclass(frozen=True)
class Softmax:
    """Class probabilities, trained by cross-entropy with label smoothing; targets are class numbers (int32)."""

    n_outputs: int

    def layer(self, seed: int) -> keras.Layer:
        return keras.layers.Dense(
            self.n_outputs,
            activation="softmax",
            kernel_initializer=keras.initializers.GlorotUniform(seed),
            name=OUTPUT_LAYER,
        )

    def loss(self, logits: tf.Tensor, targets: tf.Tensor, config: MLPConfig) -> tuple[tf.Tensor, tf.Tensor]:
        spread = config.label_smoothing / self.n_outputs
        smooth = tf.one_hot(targets, self.n_outputs, 1 - config.label_smoothing + spread, spread)
        losses, slopes = tf.raw_ops.SoftmaxCrossEntropyWithLogits(features=logits, labels=smooth)
        return losses, slopes

    def outputs(self, logits: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(logits)


HEADS: dict[str, type[Softmax]] = {"softmax": Softmax}


def make_head(name: str, n_outputs: int) -> Head:
    return HEADS[name](n_outputs)
