"""Ablation of the first trial of the packaged space on MNIST: one change at a time, scored on validation.

The table in docs/accuracy.md comes from `python -m benchmarks.ablation`; one variant per core at a time.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import click
import numpy as np

from steps.datasets.interface import Interface
from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest
from steps.mlp.config import MLPConfig
from steps.mlp.runtime import available_cores, limit_threads, resolve_precision
from steps.mlp.trainer import Samples, Trainer
from steps.search.space.file import load_space, space_path
from steps.tasks.classification.calibration import fitted_temperature
from steps.tasks.task import task_of

BASE = MLPConfig.from_hyperparameters(load_space(space_path("image")).complete({}))
VARIANTS: dict[str, dict[str, Any]] = {
    "base": {},
    "augmentation: none": {"augmentation": "none"},
    "augmentation: shift": {"augmentation": "shift"},
    "augmentation: elastic": {"augmentation": "elastic"},
    "no label smoothing": {"label_smoothing": 0.0},
    "no batch norm, learning rate 1e-3": {"batch_norm": False, "learning_rate": 1e-3},
    "no dropout": {"dropout": 0.0},
    "dropout 0.2": {"dropout": 0.2},
    "input dropout 0.1": {"input_dropout": 0.1},
    "no weight decay": {"weight_decay": 0.0},
    "learning rate 1e-3": {"learning_rate": 1e-3},
    "batch size 128": {"batch_size": 128},
    "relu": {"activation": "relu"},
    "silu": {"activation": "silu"},
    "384-384": {"units": (384, 384)},
    "768-768": {"units": (768, 768)},
    "1536-1536": {"units": (1536, 1536)},
    "512-512-512": {"units": (512, 512, 512)},
}


@click.command()
@click.option(
    "--epochs", default="20", show_default=True, help="Epochs of each training; several, separated by commas."
)
@click.option("--variants", default="", help="Names of variants, separated by semicolons; empty: all.")
@click.option("--seeds", default=1, show_default=True, help="Trainings of each variant.")
@click.option("--dataset", "name", default="mnist", show_default=True, help="mnist or digits.")
def main(epochs: str, variants: str, seeds: int, name: str) -> None:
    """Print a Markdown table: validation accuracy, loss and temperature of each variant, mean over the seeds."""
    names, budgets = variants.split(";") if variants else list(VARIANTS), [int(word) for word in epochs.split(",")]
    if unknown := set(names) - set(VARIANTS):
        raise click.UsageError(f"variants must be among {'; '.join(VARIANTS)}, got {'; '.join(sorted(unknown))}")
    limit_threads(n_jobs=available_cores())
    precision = resolve_precision("auto")
    dataset = load_dataset(DataRequest(name))
    task = task_of(dataset)
    train, validation = (Samples.of(dataset.splits[split]) for split in ("train", "validation"))
    targets = np.asarray(dataset.splits["validation"].targets)

    def train_one(variant: str, budget: int, seed: int) -> tuple[float, float, float]:
        trainer = Trainer(
            replace(BASE, **VARIANTS[variant]), train, validation, interface=Interface.of(dataset),
            epochs=budget, seed=seed, precision=precision,
        )  # fmt: skip
        *_, last = (trainer.run_epoch() for _ in range(budget))
        assert last.outputs is not None
        accuracy, loss = (metric.value(targets, last.outputs) for metric in task.epoch_metrics)
        click.echo(f"{variant}, {budget} epochs, seed {seed}: {accuracy:.4f}, loss {loss:.4f}", err=True)
        return accuracy, loss, fitted_temperature(targets, last.outputs)

    with ThreadPoolExecutor(available_cores()) as pool:
        running = {
            (variant, budget): [pool.submit(train_one, variant, budget, seed) for seed in range(seeds)]
            for budget in budgets for variant in names
        }  # fmt: skip
        means = {key: np.mean([future.result() for future in futures], axis=0) for key, futures in running.items()}
    click.echo(f"{len(train.targets):,} images, {precision}, mean of {seeds}\n")
    click.echo("| variant | epochs | validation accuracy | difference | validation loss | temperature |")
    click.echo("|---|---|---|---|---|---|")
    base, *_ = (accuracy for accuracy, _, _ in means.values())
    for (variant, budget), (accuracy, loss, temperature) in means.items():
        click.echo(
            f"| {variant} | {budget} | {accuracy:.2%} | {100 * (accuracy - base):+.2f} | {loss:.4f} "
            f"| {temperature:.2f} |"
        )


if __name__ == "__main__":
    main()
