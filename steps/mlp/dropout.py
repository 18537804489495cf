"""Dropout whose masks are cut out of a bank of random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import tensorflow as tf

from steps.mlp.operations import Step

_WINDOWS = 16  # length of a bank, in windows of the widest layer that uses it


@dataclass(frozen=True)
class Bank:
    """Random masks for one epoch.

    Random numbers for every activation of every update would take a tenth of the training time. A window at a random
    position of a sufficiently long bank serves the same purpose: no two updates of an epoch have the same mask at the
    same position, and every epoch draws a new bank.

    Attributes:
        values: (length,) float32: 0 if dropped, else 1 / (share kept).
        window: Size of the widest layer that uses it, in activations of a batch.
    """

    values: tf.Tensor
    window: int

    @classmethod
    def draw(cls, rate: tf.Tensor, window: int, seed: tf.Tensor) -> Bank:
        """A bank for inverted dropout at `rate`, rounded to 1/256: one random byte per element.

        Args:
            rate: Scalar float32 in [0, 1).
            seed: (2,) int32.
        """
        length = (_WINDOWS + 1) * window
        kept = tf.maximum(1, 256 - tf.cast(tf.round(rate * 256), tf.int32))
        words = tf.random.stateless_uniform((-(-length // 4),), seed, None, None, tf.uint32)
        noise = tf.reshape(tf.bitcast(words, tf.uint8), (-1,))[:length]  # (words, 4) -> (length,)
        is_kept = noise >= tf.cast(256 - kept, tf.uint8)
        return cls(tf.cast(is_kept, tf.float32) * (256 / tf.cast(kept, tf.float32)), window)


@dataclass(frozen=True)
class Masks:
    """The dropout of one update.

    Attributes:
        banks: By the hyperparameter that is their rate.
        starts: (n_layers,) int32 for each bank, where the window of each layer begins; the input comes first.
    """

    banks: Mapping[str, Bank]
    starts: Mapping[str, tf.Tensor]

    @classmethod
    def cut(cls, banks: Mapping[str, Bank], seed: tf.Tensor, n_layers: int) -> Masks:
        """Windows at random positions; `seed`: (2,) int32."""

        def starts(bank: Bank) -> tf.Tensor:
            return tf.random.stateless_uniform((n_layers,), seed, 0, _WINDOWS * bank.window, tf.int32)

        return cls(banks, {name: starts(bank) for name, bank in banks.items()})

    def drop(self, x: tf.Tensor, name: str, layer: int) -> Step:
        """(batch, units) -> (batch, units), with some set to 0 and the others scaled up to compensate."""
        if name not in self.banks:
            return x, lambda dy: (dy, [])
        batch, units = x.shape
        window = tf.slice(self.banks[name].values, self.starts[name][layer : layer + 1], [batch * units])
        mask = tf.reshape(window, (batch, units))  # (batch * units,) -> (batch, units)
        return x * mask, lambda dy: (dy * mask, [])
