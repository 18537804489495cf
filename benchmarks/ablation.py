"""Ablation of the first trial of the packaged space on MNIST: one change at a time, scored on validation.

The table in docs/accuracy.md comes from `python -m benchmarks.ablation`; one variant per core at a time.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any

import click

from steps.datasets.interface import Interface
from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest
from steps.mlp.config import MLPConfig
from steps.mlp.runtime import available_cores, limit_threads, resolve_precision
from steps.mlp.trainer import Samples, Trainer
from steps.search.space.file import load_space, space_path
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
    "1536-1536": {"units": (1536, 1536)},
    "768-768-768": {"units": (768, 768, 768)},
}


@click.command()
@click.option("--epochs", default=20, show_default=True, help="Epochs of each training.")
@click.option("--seeds", default=1, show_default=True, help="Trainings of each variant.")
@click.option("--dataset", "name", default="mnist", show_default=True, help="mnist or digits.")
def main(epochs: int, seeds: int, name: str) -> None:
    """Print a Markdown table: validation accuracy and loss of each variant, mean over the seeds."""
    limit_threads(n_jobs=available_cores())
    precision = resolve_precision("auto")
    dataset = load_dataset(DataRequest(name))
    task = task_of(dataset)
    train, validation = (Samples.of(dataset.splits[split]) for split in ("train", "validation"))
    todo: SimpleQueue[tuple[str, int]] = SimpleQueue()
    for variant in VARIANTS:
        for seed in range(seeds):
            todo.put((variant, seed))
    found: dict[str, list[tuple[float, float]]] = {variant: [] for variant in VARIANTS}

    def work() -> None:
        while True:
            try:
                variant, seed = todo.get_nowait()
            except Empty:
                return
            trainer = Trainer(
                replace(BASE, **VARIANTS[variant]), train, validation, interface=Interface.of(dataset),
                epochs=epochs, seed=seed, precision=precision,
            )  # fmt: skip
            *_, last = (trainer.run_epoch() for _ in range(epochs))
            targets = dataset.splits["validation"].targets
            accuracy, loss = (metric.value(targets, last.outputs) for metric in task.epoch_metrics)
            found[variant].append((accuracy, loss))
            click.echo(f"{variant}, seed {seed}: {accuracy:.4f}, loss {loss:.4f}", err=True)

    threads = [threading.Thread(target=work) for _ in range(available_cores())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    click.echo(f"{epochs} epochs on {len(train.targets):,} images, {precision}, mean of {seeds}\n")
    click.echo("| variant | validation accuracy | difference | validation loss |\n|---|---|---|---|")
    base = sum(accuracy for accuracy, _ in found["base"]) / seeds
    for variant, results in found.items():
        accuracy, loss = (sum(column) / seeds for column in zip(*results, strict=True))
        click.echo(f"| {variant} | {accuracy:.2%} | {100 * (accuracy - base):+.2f} | {loss:.4f} |")


if __name__ == "__main__":
    main()
