"""Dataset inputs of a run, in MLflow's sense."""

from __future__ import annotations

import mlflow
from mlflow.data.dataset_source_registry import resolve_dataset_source

from steps.datasets import Dataset


def log_inputs(dataset: Dataset) -> None:
    """Log each loaded split as a dataset input of the active run; the context is the split's name."""
    source = resolve_dataset_source(dataset.source)
    for name, split in dataset.whole_splits.items():
        entry = mlflow.data.from_numpy(
            split.features,
            targets=split.targets,
            source=source,
            name=f"{dataset.name}-{name}",
            digest=split.digest()[:16],
        )
        mlflow.log_input(entry, context=name)
