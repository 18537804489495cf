"""Final training of a model for the registry, on train + validation, with its loss on the active run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import keras
import mlflow

from steps.base.errors import StepError
from steps.datasets import Dataset
from steps.datasets.interface import Interface
from steps.datasets.split import training_rows
from steps.ensembles.network import averaged
from steps.mlp.config import MLPConfig, Precision
from steps.mlp.graphs import Graphs
from steps.mlp.trainer import Samples, Trainer
from steps.report.terminal import TrainingDisplay
from steps.tracking.lineage import MemberLineage


@dataclass(frozen=True)
class Refit:
    """The result of the final training.

    Attributes:
        model: The network to be registered: the weighted mean of those of the members.
        members: The network of each member by its name, the best trial first.
        losses: Training loss of each epoch, by the name of the member.
    """

    model: keras.Model
    members: Mapping[str, keras.Model]
    losses: Mapping[str, tuple[float, ...]]

    @property
    def best(self) -> keras.Model:
        """The network of the best trial alone."""
        return next(iter(self.members.values()))


def refit(members: Mapping[str, MemberLineage], dataset: Dataset, seed: int, precision: Precision) -> Refit:
    """Train the configs of one or several trials on train + validation; their losses are logged during training.

    Args:
        members: By the names of the trials, the best one first; each is trained as it would be alone.

    Raises:
        StepError: A loss is not finite.
    """
    samples = Samples.of(training_rows(dataset))
    graphs, models, losses = Graphs(), {}, {}
    with TrainingDisplay(sum(member.epochs for member in members.values())) as display:
        for name, member in members.items():
            trainer = Trainer(
                MLPConfig.from_hyperparameters(member.hyperparameters),
                samples,
                interface=Interface.of(dataset),
                epochs=member.schedule,
                seed=seed,
                precision=precision,
                graphs=graphs,
            )
            key = "train_loss" if len(members) == 1 else f"train_loss/{name}"
            losses[name] = tuple(_epochs(trainer, member.epochs, name, key, display))
            models[name] = trainer.model
    by_number = sorted(members, key=lambda name: members[name].trial_number)  # a lineage keeps no other order
    weights = {name: members[name].weight for name in by_number}
    return Refit(averaged({name: models[name] for name in by_number}, weights), models, losses)


def _epochs(trainer: Trainer, n_epochs: int, name: str, key: str, display: TrainingDisplay) -> list[float]:
    """Train for so many epochs; returns their losses, which are logged under a key."""
    losses: list[float] = []
    while trainer.epoch < n_epochs:
        loss = trainer.run_epoch().train_loss
        if not math.isfinite(loss):
            raise StepError(
                f"the loss of {name} is not finite after epoch {trainer.epoch}; choose another trial or "
                "precision=float32"
            )
        mlflow.log_metric(key, loss, step=trainer.epoch)
        display.epoch(loss)
        losses.append(loss)
    return losses
