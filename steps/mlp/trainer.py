"""Training of one MLP, with one call of one graph per epoch."""

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
from steps.mlp.heads import make_head
from steps.mlp.model import build_model
from steps.mlp.network import Masks, Network
from steps.mlp.optimizers import Optimizer, learning_rate_at

EVALUATION_BATCH = 1000
_STREAMS = ("shuffle", "augment", "dropout", "mask")
_KEYS_PER_STEP = 64  # random tensors per step and stream


@dataclass(frozen=True)
class Samples:
    """Features (n, n_features) in their stored dtype, targets (n,), and weights (n,) with mean 1 (None: all 1).

    All trials share these tensors.
    """

    features: tf.Tensor
    targets: tf.Tensor
    weights: tf.Tensor | None = None

    @classmethod
    def of(cls, split: Split) -> Samples:
        weights = None if split.weights is None else tf.constant(split.weights / split.weights.mean(), tf.float32)
        return cls(tf.constant(split.features), tf.constant(split.targets), weights)

    @property
    def tensors(self) -> tuple[tf.Tensor, ...]:
        return (self.features, self.targets) if self.weights is None else (self.features, self.targets, self.weights)


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
    """Trains one MLP as a pure function of (config, seed, data), alone or concurrently with others.

    Every random number comes from a stateless stream keyed by (seed, purpose, step), so that nothing else in the same
    process can affect a result.
    """

    def __init__(
        self,
        config: MLPConfig,
        train: Samples,
        validation: Samples | None = None,
        *,
        interface: Interface,
        epochs: int,
        seed: int,
        precision: Precision = "float32",
    ) -> None:
        if config.augmentation != "none" and interface.image_shape is None:
            raise ValueError(f"augmentation must be none for data that are not images, got {config.augmentation!r}")
        self.model = build_model(config, interface, seed)
        self.epoch = 0
        self._config = config
        self._train = train
        self._validation = validation
        self._interface = interface
        self._head = make_head(interface.target, config)
        self._batch_size = min(config.batch_size, train.targets.shape[0])
        self._steps_per_epoch = train.targets.shape[0] // self._batch_size
        self._n_steps = self._steps_per_epoch * epochs
        self._streams = {
            name: int(np.random.SeedSequence((seed, i)).generate_state(1)[0] >> 1) for i, name in enumerate(_STREAMS)
        }
        self._class_weights = _balancing(train.targets.numpy()) if config.class_weight == "balanced" else None
        self._network = Network(config, self.model, interface, precision)
        self._optimizer = Optimizer(config, [variable.value for variable in self.model.trainable_variables])
        self._run = tf.function(self._epoch_graph, autograph=False)

    @property
    def variables(self) -> list[tf.Variable]:
        """All state except `epoch`, in a fixed order: weights, moving statistics, optimizer slots."""
        weights = [variable.value for variable in self.model.weights]
        return weights + [slot for slots in self._optimizer.slots for slot in slots]

    def run_epoch(self) -> Epoch:
        """Train one epoch, then apply the model to the validation rows."""
        samples = [s for s in (self._train, self._validation) if s]
        loss, outputs = self._run(tf.constant(self.epoch), *(s.tensors for s in samples))
        self.epoch += 1
        return Epoch(float(loss), outputs.numpy() if self._validation else None)

    def _epoch_graph(
        self,
        epoch: tf.Tensor,
        train: tuple[tf.Tensor, ...],
        validation: tuple[tf.Tensor, ...] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        banks = self._network.draw_banks(self._key("dropout", epoch), self._batch_size)
        order = tf.random.experimental.stateless_shuffle(tf.range(tf.shape(train[0])[0]), self._key("shuffle", epoch))

        def body(i: tf.Tensor, loss: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            batch = tf.reshape(order[i * self._batch_size : (i + 1) * self._batch_size], (self._batch_size,))
            step = epoch * self._steps_per_epoch + i
            masks = self._network.masks(banks, self._key("mask", step), self._batch_size)
            return i + 1, loss + self._step_graph([tf.gather(part, batch) for part in train], masks, step)

        _, loss = _loop(lambda i, _: i < self._steps_per_epoch, body, (tf.constant(0), tf.constant(0.0)))
        outputs = self._outputs_graph(validation[0]) if validation else tf.zeros(())
        return loss / self._steps_per_epoch, outputs

    def _step_graph(self, batch: Sequence[tf.Tensor], masks: Masks, step: tf.Tensor) -> tf.Tensor:
        """One update on a batch of `Samples.tensors`; returns the loss of the batch before the update."""
        raw, targets, *weights = batch
        x = tf.cast(raw, tf.float32)
        if self._config.augmentation != "none":
            assert self._interface.image_shape is not None
            x = augment(raw, self._interface.image_shape, self._config.augmentation, self._key("augment", step))
        logits, gradients = self._network.train(x, masks)
        losses, slopes = self._head.loss(logits, targets)
        if self._class_weights is not None:
            weights.append(tf.gather(self._class_weights, targets))
        for weight in weights:
            losses, slopes = losses * weight, slopes * tf.expand_dims(weight, 1)
        learning_rate = learning_rate_at(self._config, step, self._n_steps)
        self._optimizer.apply(gradients(slopes / self._batch_size), learning_rate, step)
        return tf.reduce_mean(losses)

    def _outputs_graph(self, features: tf.Tensor) -> tf.Tensor:
        """(n, n_outputs) for all rows, including a partial last batch."""
        n = features.shape[0]
        found = tf.TensorArray(tf.float32, -(-n // EVALUATION_BATCH), infer_shape=False)

        def body(i: tf.Tensor, found: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            rows = features[i * EVALUATION_BATCH : (i + 1) * EVALUATION_BATCH]
            logits = self._network.logits(tf.cast(rows, tf.float32))
            return i + 1, found.write(i, self._head.outputs(logits))

        _, found = _loop(lambda i, _: i < found.size(), body, (tf.constant(0), found))
        return tf.ensure_shape(found.concat(), (n, self._head.n_outputs))

    def _key(self, stream: str, step: tf.Tensor) -> tf.Tensor:
        return tf.stack([self._streams[stream], step * _KEYS_PER_STEP])


def _balancing(targets: np.ndarray) -> tf.Tensor:
    """(n_classes,) weights that balance the classes, with a mean of 1 over the rows."""
    counts = np.maximum(np.bincount(targets), 1)
    return tf.constant(len(targets) / (len(counts) * counts), tf.float32)


def _loop(condition: Callable[..., tf.Tensor], body: Callable[..., Any], start: Sequence[Any]) -> Any:
    return tf.while_loop(condition, body, start, parallel_iterations=1)
