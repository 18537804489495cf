"""Training of one MLP, a whole epoch per call into one graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from steps.mlp.augmentation import augment
from steps.mlp.config import MLPConfig, Precision
from steps.mlp.model import build_model
from steps.mlp.network import Masks, Network
from steps.mlp.optimizers import Optimizer, learning_rate_at

EVALUATION_BATCH = 1000
_STREAMS = ("shuffle", "augment", "dropout", "mask")
_KEYS_PER_STEP = 64  # random tensors that one step may draw from one stream


@dataclass(frozen=True)
class Samples:
    """Features (n, n_features) in their stored dtype and labels (n,) int32, as tensors all trials share."""

    features: tf.Tensor
    labels: tf.Tensor

    @classmethod
    def from_arrays(cls, features: np.ndarray, labels: np.ndarray) -> Samples:
        return cls(tf.constant(features), tf.constant(labels, tf.int32))


@dataclass(frozen=True)
class EpochMetrics:
    """Means over the samples of one epoch; natural logarithm, accuracy in [0, 1]."""

    train_loss: float
    val_loss: float
    val_accuracy: float


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
        n_classes: int,
        feature_max: float,
        image_shape: tuple[int, int] | None = None,
        epochs: int,
        seed: int,
        precision: Precision = "float32",
    ) -> None:
        if config.augmentation != "none" and image_shape is None:
            raise ValueError(f"augmentation must be none for data that are not images, got {config.augmentation!r}")
        self.model = build_model(config, train.features.shape[1], n_classes, feature_max, seed)
        self.epoch = 0
        self._config = config
        self._train = train
        self._validation = validation
        self._n_classes = n_classes
        self._feature_max = feature_max
        self._image_shape = image_shape
        self._batch_size = min(config.batch_size, train.labels.shape[0])
        self._steps_per_epoch = train.labels.shape[0] // self._batch_size
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

    def run_epoch(self) -> EpochMetrics:
        """Train one epoch and evaluate it; without validation samples their metrics are NaN."""
        samples = [s for s in (self._train, self._validation) if s]
        tensors = [(s.features, s.labels) for s in samples]
        metrics = self._run(tf.constant(self.epoch), *tensors).numpy()
        self.epoch += 1
        train_loss, val_loss, accuracy = (float(value) for value in metrics)
        if self._validation:
            n = len(self._validation.labels)
            accuracy = round(accuracy * n) / n  # 0.9854, which float32 makes 0.98539996
        return EpochMetrics(train_loss, val_loss, accuracy)

    def _epoch_graph(
        self,
        epoch: tf.Tensor,
        train: tuple[tf.Tensor, tf.Tensor],
        validation: tuple[tf.Tensor, tf.Tensor] | None = None,
    ) -> tf.Tensor:
        features, labels = train
        banks = self._network.draw_banks(self._key("dropout", epoch), self._batch_size)
        order = tf.random.experimental.stateless_shuffle(tf.range(tf.shape(labels)[0]), self._key("shuffle", epoch))

        def body(i: tf.Tensor, loss: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            batch = tf.reshape(order[i * self._batch_size : (i + 1) * self._batch_size], (self._batch_size,))
            step = epoch * self._steps_per_epoch + i
            masks = self._network.masks(banks, self._key("mask", step), self._batch_size)
            return i + 1, loss + self._step_graph(tf.gather(features, batch), tf.gather(labels, batch), masks, step)

        _, loss = _loop(lambda i, _: i < self._steps_per_epoch, body, (0, 0.0))
        evaluation = self._evaluation_graph(*validation) if validation else (np.nan, np.nan)
        return tf.stack([loss / self._steps_per_epoch, *evaluation])

    def _step_graph(self, raw: tf.Tensor, labels: tf.Tensor, masks: Masks, step: tf.Tensor) -> tf.Tensor:
        """One update; returns the loss of its batch before it."""
        x = tf.cast(raw, tf.float32)
        if self._config.augmentation != "none":
            assert self._image_shape is not None
            x = augment(raw, self._image_shape, self._config.augmentation, self._key("augment", step))
        smoothing = self._config.label_smoothing
        targets = tf.one_hot(
            labels, self._n_classes, 1 - smoothing + smoothing / self._n_classes, smoothing / self._n_classes
        )
        logits, gradients = self._network.train(x * (1 / self._feature_max), masks)
        losses, slopes = tf.raw_ops.SoftmaxCrossEntropyWithLogits(features=logits, labels=targets)
        learning_rate = learning_rate_at(self._config, step, self._n_steps)
        self._optimizer.apply(gradients(slopes / self._batch_size), learning_rate, step)
        return tf.reduce_mean(losses)

    def _evaluation_graph(self, features: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean log loss and accuracy over all samples, the partial last batch included."""
        n = labels.shape[0]

        def body(start: tf.Tensor, loss: tf.Tensor, correct: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            y = labels[start : start + EVALUATION_BATCH]
            x = tf.cast(features[start : start + EVALUATION_BATCH], tf.float32) * (1 / self._feature_max)
            logits = self._network.logits(x)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
            hits = tf.argmax(logits, 1, tf.int32) == y
            return (
                start + EVALUATION_BATCH,
                loss + tf.reduce_sum(losses),
                correct + tf.reduce_sum(tf.cast(hits, tf.float32)),
            )

        _, loss, correct = _loop(lambda start, *_: start < n, body, (0, 0.0, 0.0))
        return loss / n, correct / n

    def _key(self, stream: str, step: tf.Tensor) -> tf.Tensor:
        return tf.stack([self._streams[stream], step * _KEYS_PER_STEP])


def _loop(condition: Callable[..., tf.Tensor], body: Callable[..., Any], start: Sequence[Any]) -> Any:
    return tf.while_loop(condition, body, [tf.constant(value) for value in start], parallel_iterations=1)
