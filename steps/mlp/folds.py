"""One config trained on several folds at once, with the interface of a single training."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import tensorflow as tf

from steps.mlp.trainer import Epoch, Trainer


class FoldedTrainer:
    """Trainers of one config on the folds of a data set, advanced by one epoch each at a time.

    With a single trainer, it behaves like that trainer.
    """

    def __init__(self, trainers: Sequence[Trainer], n_kept: int = 0, threads: int = 1) -> None:
        """
        Args:
            n_kept: Number of rows whose outputs are kept as part of the state.
            threads: Number of folds that are trained side by side.
        """
        self._trainers = tuple(trainers)
        self._threads = min(threads, len(self._trainers))
        shape = (n_kept, self.model.output_shape[1])
        self._kept = [tf.Variable(tf.zeros(shape), trainable=False)] if n_kept else []

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return self._trainers[0].epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        for trainer in self._trainers:
            trainer.epoch = epoch

    @property
    def variables(self) -> list[tf.Variable]:
        """All state except `epoch`, in a fixed order, fold by fold."""
        return [variable for trainer in self._trainers for variable in trainer.variables] + self._kept

    @property
    def kept_outputs(self) -> np.ndarray:
        """(n, n_outputs) float32, the last outputs passed to `keep`."""
        return np.asarray(self._kept[0])

    def keep(self, outputs: np.ndarray) -> None:
        """Keep the outputs of an epoch for the validation rows of all folds, including in checkpoints."""
        self._kept[0].assign(outputs)

    @property
    def model(self) -> keras.Model:
        """The model of the first fold; those of the others have the same shape."""
        return self._trainers[0].model

    def run_epoch(self) -> Epoch:
        """Train an epoch on each fold: the mean loss, and the outputs for the validation rows of all folds in order."""
        with ThreadPoolExecutor(self._threads) as pool:
            epochs = list(pool.map(Trainer.run_epoch, self._trainers))
        outputs = [epoch.outputs for epoch in epochs if epoch.outputs is not None]
        loss = float(np.mean([epoch.train_loss for epoch in epochs]))
        return Epoch(loss, np.concatenate(outputs) if outputs else None)
