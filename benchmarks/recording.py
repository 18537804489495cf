"""`python -m benchmarks.recording`: learning curves of many configurations of the packaged space, on many tables.

A search can be replayed on them without training (docs/search.md). Configuration 0 is the default of the space, trained
with several seeds, so that the noise is known; then come random ones and ones around the default, in turn. Each is
trained as a trial is, and its row goes to `benchmarks/recording.jsonl.gz` when it has ended: those that are there are
not trained again, so that it can be continued. Each row has its hyperparameters, as the space may change.
"""

from __future__ import annotations

import gzip
import json
import os
import pickle
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import numpy as np
import optuna

from benchmarks.own_data import TABLES, Table
from steps.search.space.file import load_space, space_path
from steps.search.space.space import Space

ROWS = Path(__file__).parent / "recording.jsonl.gz"
SEEDS = 5  # of configuration 0
_MOST_ROWS = 2000  # training rows
_MOST_TEST_ROWS = 5000
_NEAR = 0.3  # probability that a hyperparameter of a configuration around the default is not that of the default
_LEAST_ROWS = 300
Task = tuple[str, int, int]  # table, configuration, seed
_state: dict[str, Any] = {}  # of a worker


def configurations(space: Space, n: int) -> list[dict[str, Any]]:
    """The hyperparameters of the first `n` configurations."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    rng = np.random.default_rng(0)
    found = [space.complete({})]
    while len(found) < n:
        values = space.suggest(study.ask())
        found.append(_near(values, space, rng) if len(found) % 2 else values)
    return found


def _near(values: Mapping[str, Any], space: Space, rng: np.random.Generator) -> dict[str, Any]:
    """The default, with some of these values."""
    point: dict[str, Any] = {}
    for name, value in values.items():
        if rng.random() < _NEAR and name in space.complete(point):
            point[name] = value
    return space.complete(point)


@click.command()
@click.option("--only", default="", help="Names of tables, separated by commas; empty: all of at least 300 rows.")
@click.option("--n", default=300, show_default=True, help="Configurations of each table.")
@click.option("--jobs", default=2, show_default=True, help="Processes, each on one core.")
@click.option("--seconds", default=float("inf"), help="No training starts later than this.")
@click.option("--file", type=click.Path(path_type=Path), default=ROWS, help="Rows so far; new ones are appended.")
def main(only: str, n: int, jobs: int, seconds: float, file: Path) -> None:
    """Train what is missing, and print the number of rows."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    names = [table.name for table in TABLES if not only or table.name in only.split(",")]
    record(datasets(names), n, jobs, seconds, file)
    click.echo(f"{len(read(file))} rows")


def datasets(names: Iterable[str]) -> dict[str, Any]:
    """A `Dataset` for each table, with one holdout and the rest of the rows for the test."""
    from steps.datasets.loading import load_dataset
    from steps.datasets.request import DataRequest

    def load(table: Table, folder: Path) -> Any:
        path = folder / "table.csv"
        table.frame().to_csv(path, index=False)
        dataset = load_dataset(DataRequest(str(path), target=table.target, folds=1))
        most = {"train": _MOST_ROWS, "validation": _MOST_ROWS // 4, "test": _MOST_TEST_ROWS}
        rng = np.random.default_rng(0)
        splits = {
            name: split.rows(np.sort(rng.permutation(len(split))[: most[name]]))
            for name, split in dataset.splits.items()
        }
        return replace(dataset, splits=splits, raw=None, test_rows=None, digest="")

    found = {}
    for table in TABLES:
        if table.name in names:
            with tempfile.TemporaryDirectory() as folder:
                dataset = load(table, Path(folder))
            if sum(map(len, dataset.splits.values())) >= _LEAST_ROWS:
                found[table.name] = dataset
    return found


def record(data: Mapping[str, Any], n: int, jobs: int, seconds: float, path: Path) -> None:
    """Train what is missing, configuration by configuration."""
    begun = time.monotonic()
    done = {(row["table"], row["configuration"], row["seed"]) for row in read(path)}
    left = [task for task in _tasks(data, n) if task not in done]
    context = get_context("spawn")
    with (
        ProcessPoolExecutor(jobs, context, _start, (pickle.dumps(data), n)) as pool,
        gzip.open(path, "at", encoding="utf-8") as file,
    ):
        runs = [pool.submit(_train, task) for task in left]
        try:
            for run in as_completed(runs):
                if run.cancelled():
                    continue
                file.write(json.dumps(run.result(), separators=(",", ":")) + "\n")
                file.flush()
                if time.monotonic() - begun > seconds:
                    _cancel(runs)
        finally:
            _cancel(runs)


def _cancel(runs: Iterable[Future[Any]]) -> None:
    for run in runs:
        run.cancel()  # no more than those that have not begun


def _tasks(data: Iterable[str], n: int) -> Iterator[Task]:
    names = list(data)
    for number in range(n):
        for seed in range(SEEDS if number == 0 else 1):
            yield from ((name, number, seed) for name in names)


def read(path: Path = ROWS) -> list[dict[str, Any]]:
    """All rows so far."""
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _start(data: bytes, n: int) -> None:
    os.environ.update(CUDA_VISIBLE_DEVICES="-1", OMP_NUM_THREADS="1")
    from steps.base.libraries import import_tensorflow

    import_tensorflow()
    from steps.mlp.graphs import Graphs
    from steps.mlp.runtime import limit_threads

    limit_threads(1, 1)
    _state.update(data=pickle.loads(data), n=n, graphs={}, new=Graphs)


def _train(task: Task) -> dict[str, Any]:
    """Losses and scores of each epoch on validation and test rows: until neither has become better for long."""
    from steps.datasets import Split
    from steps.datasets.interface import Interface
    from steps.mlp.config import MLPConfig, inapplicable
    from steps.mlp.trainer import Samples, Trainer
    from steps.search.defaults import default_epochs
    from steps.tasks.task import task_of

    table, number, seed = task
    dataset = _state["data"][table]
    interface = Interface.of(dataset)
    values = configurations(load_space(space_path("table")), _state["n"])[number] | inapplicable(interface)
    graphs = _state["graphs"].setdefault(table, _state["new"]())
    begun = time.monotonic()
    validation, test = dataset.splits["validation"], dataset.splits["test"]
    both = Split(*(np.concatenate([getattr(s, part) for s in (validation, test)]) for part in ("features", "targets")))
    epochs, n = default_epochs(dataset), len(validation)
    trainer = Trainer(
        MLPConfig.from_hyperparameters(values), Samples.of(dataset.splits["train"]), Samples.of(both),
        interface=interface, epochs=epochs, seed=seed, graphs=graphs,
    )  # fmt: skip
    metrics = {metric.name: metric for metric in task_of(dataset).epoch_metrics}
    loss, score = metrics.get("log_loss") or metrics["rmse"], task_of(dataset).primary
    sign = 1 if score.direction == "minimize" else -1
    curves: dict[str, list[float]] = {"val_loss": [], "val_score": [], "test_loss": [], "test_score": []}
    while trainer.epoch < epochs:
        outputs = trainer.run_epoch().outputs
        assert outputs is not None
        for name, split, part in (("val", validation, outputs[:n]), ("test", test, outputs[n:])):
            curves[f"{name}_loss"].append(float(f"{loss.value(split.targets, part):.5g}"))
            curves[f"{name}_score"].append(float(f"{score.value(split.targets, part):.5g}"))
        if not np.isfinite(curves["val_loss"][-1]):
            break
        best = max(int(np.argmin(curves["val_loss"])), int(np.argmin(sign * np.array(curves["val_score"]))))
        if trainer.epoch - 1 - best >= max(16, epochs // 4):
            break
    return {
        "table": table, "configuration": number, "seed": seed, "hyperparameters": values,
        "score": score.name, "epochs": epochs, "seconds": round(time.monotonic() - begun, 3), **curves,
    }  # fmt: skip


if __name__ == "__main__":
    main()
