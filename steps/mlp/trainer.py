"""Training of one MLP, with one call of one graph per epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import tensorflow as tf

from steps.datasets import Split
from steps.datasets.interface import Interface
from steps.mlp.config import MLPConfig, Precision, structure_of
from steps.mlp.graphs import STREAMS, Graphs, Run, State
from steps.mlp.model import build_model, set_bins
from steps.mlp.network import layers_of
from steps.mlp.optimizers import scalars_of, zero_slots

_QUANTILE_ROWS = 100_000


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

    @cached_property
    def quantiles(self) -> np.ndarray:
        """(129, n_features) quantiles of the features in equal steps, of at most 100,000 rows."""
        rows = self.features[:: 1 + len(self.features) // _QUANTILE_ROWS]
        found: np.ndarray = np.quantile(rows, np.linspace(0, 1, 129), axis=0, method="nearest")
        return found.astype(np.float32)

    def edges(self, positions: Sequence[int], n_bins: int) -> np.ndarray:
        """(n_bins + 1, n_positions) quantiles of these features, the edges of bins with equal numbers of rows."""
        edges: np.ndarray = self.quantiles[:: 128 // n_bins, list(positions)]
        return edges

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
    """Trains one MLP as a pure function of (config, seed, data, threads), alone or concurrently with others.

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
        threads: int = 1,
        graphs: Graphs | None = None,
    ) -> None:
        """
        Args:
            threads: Number of threads that share the rows of a batch.
            graphs: Graphs of these data that may be used again; they have no effect on the result.
        """
        if config.augmentation != "none" and interface.image_shape is None:
            raise ValueError(f"augmentation must be none for data that are not images, got {config.augmentation!r}")
        self.model = build_model(config, interface, seed)
        if config.n_bins and interface.numbers:
            set_bins(self.model, train.edges(interface.numbers, config.n_bins))
        self.epoch = 0
        self._train = list(train.tensors)
        self._validation = [validation.features] if validation else []
        self._class_weights = [_balancing(train.targets.numpy())] if config.class_weight == "balanced" else []
        batch_size = min(config.batch_size, train.targets.shape[0])
        self._steps_per_epoch = train.targets.shape[0] // batch_size
        self._n_steps = self._steps_per_epoch * epochs
        self._scalars = scalars_of(config)
        self._streams = {
            name: tf.constant(int(np.random.SeedSequence((seed, i)).generate_state(1)[0] >> 1), tf.int32)
            for i, name in enumerate(STREAMS)
        }
        trainable = [variable.value for variable in self.model.trainable_variables]
        self._state = State(layers_of(self.model), zero_slots(config, trainable))
        self.graph = (graphs or Graphs()).of(structure_of(config), interface, batch_size, precision, threads)

    @property
    def variables(self) -> list[tf.Variable]:
        """All state except `epoch`, in a fixed order: weights, moving statistics, optimizer slots."""
        weights = [variable.value for variable in self.model.weights]
        return weights + [slot for slots in self._state.slots for slot in slots]

    def run_epoch(self) -> Epoch:
        """Train one epoch, then apply the model to the validation rows."""
        run = Run(
            self._scalars,
            self._streams,
            tf.constant(self.epoch),
            tf.constant(self._steps_per_epoch),
            tf.constant(self._n_steps),
        )
        loss, outputs = self.graph(run, self._state, self._train, self._class_weights, self._validation)
        self.epoch += 1
        return Epoch(float(loss), outputs.numpy() if self._validation else None)


def _balancing(targets: np.ndarray) -> tf.Tensor:
    """(n_classes,) weights that balance the classes, with a mean of 1 over the rows."""
    counts = np.maximum(np.bincount(targets), 1)
    return tf.constant(len(targets) / (len(counts) * counts), tf.float32)
