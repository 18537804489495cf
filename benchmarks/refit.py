"""`python -m benchmarks.refit`: is the final training on train + validation worth its time? A table of docs/tables.md.

The first trial of the packaged space is trained on five folds, and five times on all of their rows, with other seeds,
for as many epochs as are best on the rows outside of the folds. All are compared on the test rows, alone and as means.
"""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np

from benchmarks.own_data import TABLES, Table
from benchmarks.table_ablation import BASE
from steps.datasets import Dataset, Split
from steps.datasets.interface import Interface
from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest
from steps.datasets.split import joined, training_rows
from steps.mlp.graphs import Graphs
from steps.mlp.runtime import limit_threads
from steps.mlp.trainer import Samples, Trainer
from steps.search.defaults import default_epochs
from steps.tasks.task import task_of

SMALL = (
    "breast_cancer,diabetes,digits,TitanicSurvival,penguins,leaf_id_flavia,ames,hpc_data,credit_data,wa_churn,"
    "lending_club,Default,Caravan,nassCDS"
)
OF_FOLD, AGAIN = "one of a fold", "one trained again on all rows"
_N = 5  # folds, and trainings on all rows
_MOST_ROWS = 3000


@click.command()
@click.option("--only", default=SMALL, show_default=True, help="Names of tables, separated by commas.")
def main(only: str) -> None:
    """Print a Markdown table: log loss or RMSE relative to one network of a fold, geometric mean over tables."""
    limit_threads(n_jobs=2)
    ratios: dict[str, list[float]] = defaultdict(list)
    seconds: dict[str, list[float]] = defaultdict(list)
    for table in (table for table in TABLES if table.name in only.split(",")):
        for name, (loss, used) in measured(load(table)).items():
            ratios[name].append(loss)
            seconds[name].append(used)
        click.echo(f"{table.name}: {', '.join(f'{name} {found[-1]:.4g}' for name, found in ratios.items())}", err=True)
    click.echo("| networks | loss against one of a fold | worse on | CPU seconds (mean) |\n|---|---|---|---|")
    for name, losses in ratios.items():
        relative = np.divide(losses, ratios[OF_FOLD])
        click.echo(
            f"| {name} | {np.exp(np.log(relative).mean()):.3f} | {(relative > 1).sum()} of {len(relative)} "
            f"| {np.mean(seconds[name]):.1f} |"
        )


def load(table: Table) -> Dataset:
    """At most 3,000 rows of the table, a fifth of them for the test and the others in five folds."""
    frame = table.frame()
    with TemporaryDirectory() as name:
        path = Path(name) / "table.csv"
        frame.sample(min(_MOST_ROWS, len(frame)), random_state=0).to_csv(path, index=False)
        return load_dataset(DataRequest(str(path), target=table.target, folds=_N))


def measured(dataset: Dataset) -> dict[str, tuple[float, float]]:
    """Loss on the test rows and processor seconds by kind of model; of a single network, means over five."""
    metrics = {metric.name: metric for metric in task_of(dataset).epoch_metrics}
    metric = metrics.get("log_loss") or metrics["rmse"]
    test, graphs, n_epochs = dataset.splits["test"], Graphs(), default_epochs(dataset)

    def trainer(train: Split, scored: Split, seed: int) -> Trainer:
        return Trainer(
            BASE, Samples.of(train), Samples.of(scored), interface=Interface.of(dataset), epochs=n_epochs, seed=seed,
            graphs=graphs,
        )  # fmt: skip

    def epoch(trainers: list[Trainer]) -> list[np.ndarray]:
        outputs = [trainer.run_epoch().outputs for trainer in trainers]
        return [found for found in outputs if found is not None]

    def losses(outputs: list[np.ndarray]) -> tuple[float, float]:
        """Mean loss of the networks, and the loss of their mean."""
        alone = [metric.value(test.targets, found) for found in outputs]
        return float(np.mean(alone)), metric.value(test.targets, np.mean(outputs, axis=0))

    begun = time.process_time()
    trainers = [trainer(train, joined(validation, test), 0) for train, validation in dataset.folds]
    scores, of_test = [], []
    for _ in range(n_epochs):
        parts = [np.split(found, [-len(test)]) for found in epoch(trainers)]
        pairs = zip(dataset.folds, parts, strict=True)
        scores.append(np.mean([metric.value(fold.targets, outputs) for (_, fold), (outputs, _) in pairs]))
        of_test.append([outputs for _, outputs in parts])
    best = int(np.argmin(scores))
    used = time.process_time() - begun
    one, mean = losses(of_test[best])
    found = {OF_FOLD: (one, used / _N), "the mean of those of five folds": (mean, used)}
    begun = time.process_time()
    trainers = [trainer(training_rows(dataset), test, seed) for seed in range(_N)]
    *_, last = (epoch(trainers) for _ in range(best + 1))
    used = time.process_time() - begun
    one, mean = losses(last)
    return found | {AGAIN: (one, used / _N), "the mean of five trained again": (mean, used)}


if __name__ == "__main__":
    main()
