"""Graphs of a training epoch, one for all trainings of equal structure."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from steps.datasets.interface import Interface
from steps.mlp.augmentation import augment
from steps.mlp.config import MLPConfig, Precision
from steps.mlp.dropout import Masks
from steps.mlp.heads import make_head
from steps.mlp.model import INPUT_SCALE, MEMBERS
from steps.mlp.network import Layers, Network
from steps.mlp.optimizers import Optimizer, Scalars, learning_rate_at
from steps.mlp.runtime import compiles_for_gpu

EVALUATION_BATCH = 1000
STREAMS = ("shuffle", "augment", "dropout", "mask")
_KEYS_PER_STEP = 64  # random tensors per step and stream
_KEPT = 16  # graphs
Tensors = Sequence[tf.Tensor]


@dataclass(frozen=True)
class Run:
    """Inputs of an epoch's graph that change from training to training, as scalars.

    Attributes:
        scalars: Value of each of `SCALARS`, float32.
        streams: Seed of each of `STREAMS`, int32.
        epoch: Number of finished epochs.
        steps_per_epoch, n_steps: Number of updates of an epoch, and of the whole training.
    """

    scalars: Scalars
    streams: Mapping[str, tf.Tensor]
    epoch: tf.Tensor
    steps_per_epoch: tf.Tensor
    n_steps: tf.Tensor

    def key(self, stream: str, step: tf.Tensor) -> tf.Tensor:
        """(2,) int32, the seed of a step of a stream."""
        return tf.stack([self.streams[stream], step * _KEYS_PER_STEP])


@dataclass(frozen=True)
class State:
    """Variables of a training, which its epochs change.

    Attributes:
        layers: Weights and moving statistics of each layer.
        slots: State of the optimizer for each trainable one, in the order of the model.
    """

    layers: Layers
    slots: Sequence[Sequence[tf.Variable]]


@dataclass(eq=False)
class EpochGraph:
    """An epoch of training, followed by the outputs for the validation rows; traced once, and owner of no variable."""

    config: MLPConfig
    interface: Interface
    batch_size: int
    precision: Precision
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _traced: Callable[..., tuple[tf.Tensor, tf.Tensor]] | None = None

    def __call__(
        self, run: Run, state: State, train: Tensors, class_weights: Tensors, validation: Tensors
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Train one epoch.

        Args:
            train: `Samples.tensors`.
            class_weights: Nothing, or one tensor (n_classes,).
            validation: Nothing, or the features of the validation rows (m, n_features).

        Returns:
            Mean loss of the updates, and outputs (m, n_outputs).
        """
        arguments = (vars(run), vars(state), list(train), list(class_weights), list(validation))
        with self._lock:
            if self._traced is None:
                data = tf.nest.map_structure(_of_any_length, arguments[2:])
                graph = tf.function(self._epoch, autograph=False)
                self._traced = graph.get_concrete_function(*arguments[:2], *data)
        return self._traced(*arguments)

    def _epoch(
        self,
        run: Mapping[str, Any],
        state: Mapping[str, Any],
        train: Tensors,
        class_weights: Tensors,
        validation: Tensors,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        return _Epoch(self, Run(**run), State(**state)).train(train, class_weights, validation)


class _Epoch:
    """An epoch while it is traced."""

    def __init__(self, graph: EpochGraph, run: Run, state: State) -> None:
        self._config, self._interface, self._batch_size = graph.config, graph.interface, graph.batch_size
        self._run = run
        self._network = Network(graph.config, state.layers, graph.interface, graph.precision)
        self._optimizer = Optimizer(
            graph.config, run.scalars, self._network.trainable, state.slots,
            exempt=state.layers.get(MEMBERS, ()), input_scale=state.layers.get(INPUT_SCALE, ()),
        )  # fmt: skip
        self._head = make_head(graph.interface.target, graph.config)

    def train(self, train: Tensors, class_weights: Tensors, validation: Tensors) -> tuple[tf.Tensor, tf.Tensor]:
        run, size = self._run, self._batch_size
        banks = self._network.draw_banks(run.scalars, run.key("dropout", run.epoch), size)
        order = tf.random.experimental.stateless_shuffle(tf.range(tf.shape(train[0])[0]), run.key("shuffle", run.epoch))

        # A loop variable, as XLA would compile the loop again for other values of what decides where a mask begins.
        keys = {stream: run.key(stream, run.epoch * run.steps_per_epoch) for stream in ("augment", "mask")}

        def body(i: tf.Tensor, keys: Mapping[str, tf.Tensor], loss: tf.Tensor) -> Any:
            batch = [tf.gather(part, tf.slice(order, [i * size], [size])) for part in train]
            masks = self._network.masks(banks, keys["mask"])
            step = run.epoch * run.steps_per_epoch + i
            loss += self._update(batch, class_weights, masks, keys["augment"], step)
            return i + 1, {stream: key + tf.constant([0, _KEYS_PER_STEP]) for stream, key in keys.items()}, loss

        def updates() -> tf.Tensor:
            return _loop(lambda i, *_: i < run.steps_per_epoch, body, (tf.constant(0), keys, tf.constant(0.0)))[2]

        # On a GPU, most of an update is the launches of its small kernels: compiled, it takes a fifteenth of the time.
        loss = tf.function(updates, autograph=False, jit_compile=True)() if compiles_for_gpu() else updates()
        outputs = self._outputs(validation[0]) if validation else tf.zeros(())
        return loss / tf.cast(run.steps_per_epoch, tf.float32), outputs

    def _update(
        self, batch: Tensors, class_weights: Tensors, masks: Masks, key: tf.Tensor, step: tf.Tensor
    ) -> tf.Tensor:
        """One update on a batch of `Samples.tensors`; returns the loss of the batch before the update."""
        raw, targets, *weights = batch
        x = tf.cast(raw, tf.float32)
        if self._config.augmentation != "none":
            assert self._interface.image_shape is not None
            x = augment(raw, self._interface.image_shape, self._config.augmentation, key)
        weights += [tf.gather(by_class, targets) for by_class in class_weights]
        if (members := self._config.n_members) > 1:
            targets, *weights = [tf.repeat(part, members) for part in (targets, *weights)]
        logits, gradients = self._network.train(x, masks)
        losses, slopes = self._head.loss(logits, targets, self._run.scalars["label_smoothing"])
        for weight in weights:
            losses, slopes = losses * weight, slopes * tf.expand_dims(weight, 1)
        learning_rate = learning_rate_at(self._config, self._run.scalars, step, self._run.n_steps)
        self._optimizer.apply(gradients(slopes / (self._batch_size * members)), learning_rate, step)
        return tf.reduce_mean(losses)

    def _outputs(self, features: tf.Tensor) -> tf.Tensor:
        """(n, n_outputs) for all rows, including a partial last batch."""
        found = tf.TensorArray(tf.float32, -(-tf.shape(features)[0] // EVALUATION_BATCH), infer_shape=False)

        def body(i: tf.Tensor, found: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            rows = features[i * EVALUATION_BATCH : (i + 1) * EVALUATION_BATCH]
            logits = self._network.logits(tf.cast(rows, tf.float32))
            return i + 1, found.write(i, self._head.outputs(logits))

        _, found = _loop(lambda i, _: i < found.size(), body, (tf.constant(0), found))
        return tf.ensure_shape(found.concat(), (None, self._head.n_outputs))


class Graphs:
    """The graphs of a study's data, used again by all trainings of equal structure; safe for threads.

    A graph takes longer to trace than a small table takes for many epochs.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[MLPConfig, int, Precision], EpochGraph] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, structure: MLPConfig, interface: Interface, batch_size: int, precision: Precision) -> EpochGraph:
        """The graph of trainings of this structure (see `structure_of`), traced or not yet."""
        with self._lock:
            key = (structure, batch_size, precision)
            graph = self._kept.setdefault(key, EpochGraph(structure, interface, batch_size, precision))
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return graph


def _of_any_length(tensor: tf.Tensor) -> tf.TensorSpec:
    return tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype)


def _loop(condition: Callable[..., tf.Tensor], body: Callable[..., Any], start: Sequence[Any]) -> Any:
    return tf.while_loop(condition, body, start, parallel_iterations=1)
