"""Ablation of the first trial of the packaged space on tables: one change at a time.

The table in docs/tables.md comes from `python -m benchmarks.table_ablation`. The validation rows choose the epoch, as
in a trial, and the test rows of the benchmark's own split give the loss.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.own_data import TABLES, Table
from steps.datasets import Dataset, Split
from steps.datasets.interface import Interface
from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest
from steps.mlp.config import MLPConfig
from steps.mlp.graphs import Graphs
from steps.mlp.runtime import limit_threads
from steps.mlp.trainer import Samples, Trainer
from steps.search.defaults import default_epochs
from steps.search.space.file import load_space, space_path
from steps.tasks.task import task_of

BASE = MLPConfig.from_hyperparameters(load_space(space_path("table")).complete({}))
VARIANTS: dict[str, dict[str, Any]] = {
    "base": {},
    "no bins": {"n_bins": 0},
    "8 bins": {"n_bins": 8},
    "32 bins": {"n_bins": 32},
    "one member": {"n_members": 1},
    "4 members": {"n_members": 4},
    "one member, no bins": {"n_members": 1, "n_bins": 0},
    "one member, no bins, no scale, batch norm": {
        "n_members": 1,
        "n_bins": 0,
        "input_scale": 0.0,
        "batch_norm": True,
    },
    "64-64": {"units": (64, 64)},
    "256-256": {"units": (256, 256)},
    "128": {"units": (128,)},
    "128-128-128": {"units": (128, 128, 128)},
    "relu": {"activation": "relu"},
    "no dropout": {"dropout": 0.0},
    "dropout 0.3": {"dropout": 0.3},
    "learning rate 1e-3": {"learning_rate": 1e-3},
    "learning rate 4e-3": {"learning_rate": 4e-3},
    "no weight decay": {"weight_decay": 0.0},
    "batch size 128": {"batch_size": 128},
    "batch size 256": {"batch_size": 256},
    "beta_2 0.95": {"beta_2": 0.95},
    "schedule: coslog4": {"schedule": "coslog4"},
    "no input scale": {"input_scale": 0.0},
    "input scale 3": {"input_scale": 3.0},
    "input scale 20": {"input_scale": 20.0},
}
SMALL = "diabetes,breast_cancer,leaf_id_flavia,ames,hpc_data,credit_data,wa_churn,lending_club,Default"
_MOST_ROWS = 6000  # training rows


@click.command()
@click.option("--only", default=SMALL, show_default=True, help="Names of tables, separated by commas.")
@click.option("--variants", default="", help="Names of variants, separated by semicolons; empty: all.")
@click.option("--seeds", default=1, show_default=True, help="Trainings of each variant on each table.")
def main(only: str, variants: str, seeds: int) -> None:
    """Print a Markdown table: log loss or RMSE of each variant relative to the base, geometric mean over tables."""
    limit_threads(n_jobs=2)
    chosen = ["base", *variants.split(";")] if variants else list(VARIANTS)
    ratios: dict[str, list[float]] = defaultdict(list)
    seconds: dict[str, list[float]] = defaultdict(list)
    for table in (table for table in TABLES if table.name in only.split(",")):
        dataset, graphs = _load(table), Graphs()
        for seed in range(seeds):
            base = 0.0
            for variant in chosen:
                begun = time.process_time()
                loss = _loss(replace(BASE, **VARIANTS[variant]), dataset, seed, graphs)
                seconds[variant].append(time.process_time() - begun)
                base = base or loss
                ratios[variant].append(loss / base)
                click.echo(f"{table.name}, {variant}, seed {seed}: {loss:.4g} ({loss / base:.3f})", err=True)
    click.echo("| variant | loss against base | worse on | CPU seconds (mean) |\n|---|---|---|---|")
    for variant in chosen:
        worse = sum(ratio > 1 for ratio in ratios[variant])
        mean = np.exp(np.mean(np.log(ratios[variant])))
        click.echo(f"| {variant} | {mean:.3f} | {worse} of {len(ratios[variant])} | {np.mean(seconds[variant]):.1f} |")


def _load(table: Table) -> Dataset:
    """The table with one holdout, and at most 6,000 training rows."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "table.csv"
        table.frame().to_csv(path, index=False)
        dataset = load_dataset(DataRequest(str(path), target=table.target, folds=1))
    train = dataset.splits["train"]
    rows = np.sort(np.random.default_rng(0).permutation(len(train))[:_MOST_ROWS])
    return replace(dataset, splits={**dataset.splits, "train": train.rows(rows)}, digest="")


def _loss(config: MLPConfig, dataset: Dataset, seed: int, graphs: Graphs) -> float:
    """Loss on the test rows at the epoch that is best on the validation rows."""
    validation, test = dataset.splits["validation"], dataset.splits["test"]
    both = Split(*(np.concatenate([getattr(s, n) for s in (validation, test)]) for n in ("features", "targets")))
    epochs, n = default_epochs(dataset), len(validation)
    trainer = Trainer(
        config, Samples.of(dataset.splits["train"]), Samples.of(both), interface=Interface.of(dataset),
        epochs=epochs, seed=seed, graphs=graphs,
    )  # fmt: skip
    metrics = {metric.name: metric for metric in task_of(dataset).epoch_metrics}
    metric = metrics.get("log_loss") or metrics["rmse"]
    found = []
    for _ in range(epochs):
        outputs = trainer.run_epoch().outputs
        assert outputs is not None
        found.append((metric.value(validation.targets, outputs[:n]), metric.value(test.targets, outputs[n:])))
    return min(found)[1]


if __name__ == "__main__":
    main()
