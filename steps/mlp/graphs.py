"""Graphs of a training epoch, one for all trainings of equal structure."""

from __future__ import annotations

import itertools
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
from steps.mlp.runtime import MOST_PARTS, compiles_for_gpu

EVALUATION_BATCH = 1000
STREAMS = ("shuffle", "augment", "dropout", "mask")
_KEYS_PER_STEP, _KEYS_PER_PART = 64, 2  # random tensors per stream
_LEAST_PART = 64  # rows, those of members counted: the operations on fewer are shorter than their dispatch
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
        """(2,) int32, the seed of the first part of a step of a stream."""
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
    """An epoch of training, followed by the outputs for the validation rows; traced once, and owner of no variable.

    With several threads, a batch is divided into parts of its rows: a copy of the operations for each part, whose
    gradients are added. Batch normalization has the statistics of the part (Hoffer et al., "Train longer, generalize
    better", NeurIPS 2017).
    """

    config: MLPConfig
    interface: Interface
    batch_size: int
    precision: Precision
    threads: int
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
        n_rows = graph.batch_size * graph.config.n_members
        n_parts = min(graph.threads, MOST_PARTS, graph.batch_size, max(1, n_rows // _LEAST_PART))
        self._threads = graph.threads
        self._ends = [graph.batch_size * i // n_parts for i in range(n_parts + 1)]
        self._network = Network(graph.config, state.layers, graph.interface, graph.precision, n_parts)
        self._optimizer = Optimizer(
            graph.config, run.scalars, self._network.trainable, state.slots,
            exempt=state.layers.get(MEMBERS, ()), input_scale=state.layers.get(INPUT_SCALE, ()),
        )  # fmt: skip
        self._head = make_head(graph.interface.target, graph.config)

    def train(self, train: Tensors, class_weights: Tensors, validation: Tensors) -> tuple[tf.Tensor, tf.Tensor]:
        run, size = self._run, self._batch_size
        banks = self._network.draw_banks(run.scalars, run.key("dropout", run.epoch), size)
        order = tf.random.experimental.stateless_shuffle(tf.range(tf.shape(train[0])[0]), run.key("shuffle", run.epoch))

        def batch(i: tf.Tensor, key: tf.Tensor) -> list[list[tf.Tensor]]:
            """The parts of a batch."""
            parts = itertools.pairwise(self._ends)
            rows = [tf.slice(order, [i * size + begin], [end - begin]) for begin, end in parts]
            return [self._part([tf.gather(t, r) for t in train], of_part(key, p)) for p, r in enumerate(rows)]

        # A loop variable, as XLA would compile the loop again for other values of what decides where a mask begins.
        keys = {stream: run.key(stream, run.epoch * run.steps_per_epoch) for stream in ("augment", "mask")}

        def body(i: tf.Tensor, keys: Mapping[str, tf.Tensor], parts: Sequence[Tensors], loss: tf.Tensor) -> Any:
            masks = [self._network.masks(banks, of_part(keys["mask"], p)) for p in range(len(parts))]
            loss += self._update(parts, class_weights, masks, run.epoch * run.steps_per_epoch + i)
            keys = {stream: key + tf.constant([0, _KEYS_PER_STEP]) for stream, key in keys.items()}
            with tf.control_dependencies([loss]):  # after the forward pass, so that it runs beside the backward pass
                following = batch(tf.minimum(i + 1, run.steps_per_epoch - 1), keys["augment"])
            return i + 1, keys, following, loss

        def updates() -> tf.Tensor:
            start = (tf.constant(0), keys, batch(tf.constant(0), keys["augment"]), tf.constant(0.0))
            return _loop(lambda i, *_: i < run.steps_per_epoch, body, start)[3]

        # On a GPU, most of an update is the launches of its small kernels: compiled, it takes a fifteenth of the time.
        loss = tf.function(updates, autograph=False, jit_compile=True)() if compiles_for_gpu() else updates()
        outputs = self._outputs(validation[0]) if validation else tf.zeros(())
        return loss / tf.cast(run.steps_per_epoch, tf.float32), outputs

    def _part(self, rows: Tensors, key: tf.Tensor) -> list[tf.Tensor]:
        """Rows of `Samples.tensors` with their features as they are trained on, float32."""
        raw, *others = rows
        if self._config.augmentation == "none":
            return [tf.cast(raw, tf.float32), *others]
        assert self._interface.image_shape is not None
        return [augment(raw, self._interface.image_shape, self._config.augmentation, key), *others]

    def _update(
        self, parts: Sequence[Tensors], class_weights: Tensors, masks: Sequence[Masks], step: tf.Tensor
    ) -> tf.Tensor:
        """One update on the parts of a batch; returns the loss of the batch before the update."""
        found = [self._gradients(*of_part, class_weights) for of_part in zip(parts, masks, strict=True)]
        losses, gradients = zip(*found, strict=True)
        learning_rate = learning_rate_at(self._config, self._run.scalars, step, self._run.n_steps)
        self._optimizer.apply([_sum(of_variable) for of_variable in zip(*gradients, strict=True)], learning_rate, step)
        return _sum(losses)

    def _gradients(self, part: Tensors, masks: Masks, class_weights: Tensors) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """The share of a part in the loss of its batch, and in the gradients."""
        x, targets, *weights = part
        weights += [tf.gather(by_class, targets) for by_class in class_weights]
        if (members := self._config.n_members) > 1:
            targets, *weights = [tf.repeat(values, members) for values in (targets, *weights)]
        logits, gradients = self._network.train(x, masks)
        losses, slopes = self._head.loss(logits, targets, self._run.scalars["label_smoothing"])
        for weight in weights:
            losses, slopes = losses * weight, slopes * tf.expand_dims(weight, 1)
        n = self._batch_size * members
        return tf.reduce_sum(losses) / n, gradients(slopes / n)

    def _outputs(self, features: tf.Tensor) -> tf.Tensor:
        """(n, n_outputs) for all rows, including a partial last batch."""
        found = tf.TensorArray(tf.float32, -(-tf.shape(features)[0] // EVALUATION_BATCH), infer_shape=False)

        def body(i: tf.Tensor, found: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            rows = features[i * EVALUATION_BATCH : (i + 1) * EVALUATION_BATCH]
            logits = self._network.logits(tf.cast(rows, tf.float32))
            return i + 1, found.write(i, self._head.outputs(logits))

        _, found = _loop(lambda i, _: i < found.size(), body, (tf.constant(0), found), self._threads)
        return tf.ensure_shape(found.concat(), (None, self._head.n_outputs))


class Graphs:
    """The graphs of a study's data, used again by all trainings of equal structure; safe for threads.

    A graph takes longer to trace than a small table takes for many epochs.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[MLPConfig, int, Precision, int], EpochGraph] = OrderedDict()
        self._lock = threading.Lock()

    def of(
        self, structure: MLPConfig, interface: Interface, batch_size: int, precision: Precision, threads: int = 1
    ) -> EpochGraph:
        """The graph of trainings of this structure (see `structure_of`), traced or not yet."""
        with self._lock:
            key = (structure, batch_size, precision, threads)
            graph = self._kept.setdefault(key, EpochGraph(structure, interface, batch_size, precision, threads))
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return graph


def of_part(key: tf.Tensor, part: int) -> tf.Tensor:
    """The seed of a part, of that of the first one."""
    return key + tf.constant([0, part * _KEYS_PER_PART]) if part else key


def _sum(parts: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.add_n(parts) if len(parts) > 1 else parts[0]


def _of_any_length(tensor: tf.Tensor) -> tf.TensorSpec:
    return tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype)


def _loop(condition: Callable[..., tf.Tensor], body: Callable[..., Any], start: Sequence[Any], at_once: int = 1) -> Any:
    return tf.while_loop(condition, body, start, parallel_iterations=at_once)
