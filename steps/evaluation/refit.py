"""The training that makes a model to be registered: on train + validation, with its loss on the active run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

    from steps.datasets import Dataset


def train_final(
    config: Any, dataset: Dataset, epochs: int, seed: int, precision: Any
) -> tuple[keras.Model, list[float]]:
    """The model after `epochs` on train + validation, and the training loss of each epoch, logged as it goes."""
    import mlflow
    import numpy as np

    from steps.base.errors import StepError
    from steps.mlp.trainer import Samples, Trainer
    from steps.report.terminal import TrainingDisplay

    parts = [dataset.splits["train"], dataset.splits["validation"]]
    samples = Samples.from_arrays(
        np.concatenate([part.features for part in parts]), np.concatenate([part.labels for part in parts])
    )
    trainer = Trainer(
        config,
        samples,
        n_classes=len(dataset.class_names),
        feature_max=dataset.feature_max,
        image_shape=dataset.image_shape,
        epochs=epochs,
        seed=seed,
        precision=precision,
    )
    losses = []
    with TrainingDisplay(epochs) as display:
        for epoch in range(1, epochs + 1):
            loss = trainer.run_epoch().train_loss
            if not np.isfinite(loss):
                raise StepError(
                    f"the loss is not finite after epoch {epoch}; choose another trial or precision=float32"
                )
            mlflow.log_metric("train_loss", loss, step=epoch)
            display.epoch(epoch, loss)
            losses.append(loss)
    return trainer.model, losses
