"""Training of one MLP, a whole epoch per call into one graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from steps.datasets import Split
from steps.datasets.interface import Interface
from steps.mlp.augmentation import augment
from steps.mlp.config import MLPConfig, Precision
from steps.mlp.heads import Head
from steps.mlp.model import build_model
from steps.mlp.network import Masks, Network
from steps.mlp.optimizers import Optimizer, learning_rate_at

EVALUATION_BATCH = 1000
_STREAMS = ("shuffle", "augment", "dropout", "mask")
_KEYS_PER_STEP = 64  # random tensors that one step may draw from one stream


@dataclass(frozen=True)
class Samples:
    """Features (n, n_features) in their stored dtype and targets (n,), as tensors all trials share."""

    features: tf.Tensor
    targets: tf.Tensor

    @classmethod
    def of(cls, split: Split) -> Samples:
        return cls(tf.constant(split.features), tf.constant(split.targets))


@dataclass(frozen=True)
class Epoch:
    """One trained epoch.

    Attributes:
        train_loss: Mean loss over the updates.
        outputs: (n, n_outputs) float32 for the validation rows after the epoch; None without validation rows.
    """

    train_loss: float
    outputs: np.ndarray | None


class Trainer:
    """Trains one MLP as a pure function of (config, seed, data), alone or beside others.

    Every random number comes from a stateless stream keyed by (seed, purpose, step), so nothing that
    runs in the same process can change a result.
    """

    def __init__(
        self,
        config: MLPConfig,
        train: Samples,
        validation: Samples | None = None,
        *,
        interface: Interface,
        head: Head,
        epochs: int,
        seed: int,
        precision: Precision = "float32",
    ) -> None:
        if config.augmentation != "none" and interface.image_shape is None:
            raise ValueError(f"augmentation must be none for data that are not images, got {config.augmentation!r}")
        self.model = build_model(config, interface.n_features, interface.feature_max, head, seed)
        self.epoch = 0
        self._config = config
        self._train = train
        self._validation = validation
        self._interface = interface
        self._head = head
        self._batch_size = min(config.batch_size, train.targets.shape[0])
        self._steps_per_epoch = train.targets.shape[0] // self._batch_size
        self._n_steps = self._steps_per_epoch * epochs
        self._streams = {
            name: int(np.random.SeedSequence((seed, i)).generate_state(1)[0] >> 1) for i, name in enumerate(_STREAMS)
        }
        self._network = Network(config, self.model, precision)
        self._optimizer = Optimizer(config, [variable.value for variable in self.model.trainable_variables])
        self._run = tf.function(self._epoch_graph, autograph=False)

    @property
    def variables(self) -> list[tf.Variable]:
        """All state but `epoch`, in a fixed order: weights, moving statistics, optimizer slots."""
        weights = [variable.value for variable in self.model.weights]
        return weights + [slot for slots in self._optimizer.slots for slot in slots]

    def run_epoch(self) -> Epoch:
        """Train one epoch, then apply the model to the validation rows."""
        samples = [s for s in (self._train, self._validation) if s]
        loss, outputs = self._run(tf.constant(self.epoch), *((s.features, s.targets) for s in samples))
        self.epoch += 1
        return Epoch(float(loss), outputs.numpy() if self._validation else None)

    def _epoch_graph(
        self,
        epoch: tf.Tensor,
        train: tuple[tf.Tensor, tf.Tensor],
        validation: tuple[tf.Tensor, tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        features, targets = train
        banks = self._network.draw_banks(self._key("dropout", epoch), self._batch_size)
        order = tf.random.experimental.stateless_shuffle(tf.range(tf.shape(targets)[0]), self._key("shuffle", epoch))

        def body(i: tf.Tensor, loss: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            batch = tf.reshape(order[i * self._batch_size : (i + 1) * self._batch_size], (self._batch_size,))
            step = epoch * self._steps_per_epoch + i
            masks = self._network.masks(banks, self._key("mask", step), self._batch_size)
            return i + 1, loss + self._step_graph(tf.gather(features, batch), tf.gather(targets, batch), masks, step)

        _, loss = _loop(lambda i, _: i < self._steps_per_epoch, body, (tf.constant(0), tf.constant(0.0)))
        outputs = self._outputs_graph(validation[0]) if validation else tf.zeros(())
        return loss / self._steps_per_epoch, outputs

    def _step_graph(self, raw: tf.Tensor, targets: tf.Tensor, masks: Masks, step: tf.Tensor) -> tf.Tensor:
        """One update; returns the loss of its batch before it."""
        x = tf.cast(raw, tf.float32)
        if self._config.augmentation != "none":
            assert self._interface.image_shape is not None
            x = augment(raw, self._interface.image_shape, self._config.augmentation, self._key("augment", step))
        logits, gradients = self._network.train(x * (1 / self._interface.feature_max), masks)
        losses, slopes = self._head.loss(logits, targets, self._config)
        learning_rate = learning_rate_at(self._config, step, self._n_steps)
        self._optimizer.apply(gradients(slopes / self._batch_size), learning_rate, step)
        return tf.reduce_mean(losses)

    def _outputs_graph(self, features: tf.Tensor) -> tf.Tensor:
        """(n, n_outputs) for all rows, the partial last batch included."""
        n = features.shape[0]
        found = tf.TensorArray(tf.float32, -(-n // EVALUATION_BATCH), infer_shape=False)

        def body(i: tf.Tensor, found: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            rows = features[i * EVALUATION_BATCH : (i + 1) * EVALUATION_BATCH]
            logits = self._network.logits(tf.cast(rows, tf.float32) * (1 / self._interface.feature_max))
            return i + 1, found.write(i, self._head.outputs(logits))

        _, found = _loop(lambda i, _: i < found.size(), body, (tf.constant(0), found))
        return tf.ensure_shape(found.concat(), (n, self._head.n_outputs))

    def _key(self, stream: str, step: tf.Tensor) -> tf.Tensor:
        return tf.stack([self._streams[stream], step * _KEYS_PER_STEP])


def _loop(condition: Callable[..., tf.Tensor], body: Callable[..., Any], start: Sequence[Any]) -> Any:
    return tf.while_loop(condition, body, start, parallel_iterations=1)
