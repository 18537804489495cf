"""Final training of a model for the registry, on train + validation, with its loss on the active run."""

from __future__ import annotations

import math

import keras
import mlflow

from steps.base.errors import StepError
from steps.datasets import Dataset
from steps.datasets.interface import Interface
from steps.datasets.split import training_rows
from steps.evaluation.settings import Budget
from steps.mlp.config import MLPConfig, Precision
from steps.mlp.trainer import Samples, Trainer
from steps.report.terminal import TrainingDisplay


def refit(
    config: MLPConfig, dataset: Dataset, budget: Budget, seed: int, precision: Precision
) -> tuple[keras.Model, list[float]]:
    """The model trained on train + validation, and the training loss of each epoch, which is logged during training.

    Raises:
        StepError: The loss is not finite.
    """
    trainer = Trainer(
        config,
        Samples.of(training_rows(dataset)),
        interface=Interface.of(dataset),
        epochs=budget.schedule,
        seed=seed,
        precision=precision,
    )
    losses = []
    with TrainingDisplay(budget.epochs) as display:
        for epoch in range(1, budget.epochs + 1):
            loss = trainer.run_epoch().train_loss
            if not math.isfinite(loss):
                raise StepError(
                    f"the loss is not finite after epoch {epoch}; choose another trial or precision=float32"
                )
            mlflow.log_metric("train_loss", loss, step=epoch)
            display.epoch(epoch, loss)
            losses.append(loss)
    return trainer.model, losses
