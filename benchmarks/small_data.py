"""`python -m benchmarks.small_data`: where the time of a study goes on a table of 2,000 rows of 20 numbers.

`tune` runs in this process, with its trainings timed. The products and updates of an epoch are those of the first
trial, timed alone.
"""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import numpy as np
import optuna
import pandas as pd

from steps.base.libraries import import_tensorflow, quiet_libraries

import_tensorflow()

from steps.mlp.graphs import EpochGraph  # noqa: E402
from steps.mlp.runtime import available_cores, hardware  # noqa: E402

_ROWS, _COLUMNS = 2_000, 20
_TRAINED = 1_333  # rows of the training split
_REPEATS = 20  # epochs of products and updates alone


@click.command()
@click.option("--n-trials", default=50, show_default=True)
@click.option("--max-epochs", default=50, show_default=True)
def main(n_trials: int, max_epochs: int) -> None:
    """Print a Markdown table."""
    quiet_libraries()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        database = f"sqlite:///{name}/study.db"
        os.environ |= {
            "MLFLOW_TRACKING_URI": f"sqlite:///{name}/mlflow.db",
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        _table().to_csv("table.csv", index=False)
        subprocess.run([sys.executable, "-m", "steps.download", "--dataset=table.csv", "--target=y"], check=True)
        seconds, wall = _study(n_trials, max_epochs, database)
        (study,) = optuna.get_all_study_names(database)
        trials = optuna.load_study(study_name=study, storage=database).trials
    in_trials = sum(trial.duration.total_seconds() for trial in trials if trial.duration)
    in_epochs = sum(map(sum, seconds.values()))
    tracing = sum(first - statistics.median(others) for first, *others in seconds.values())
    first, *_ = seconds
    share = _alone(first) / statistics.median(seconds[first])
    whole, other = available_cores() * wall, in_epochs - tracing
    parts = {
        "products and updates": share * other,
        "other operations of the epochs": (1 - share) * other,
        "tracing": tracing,
        "suggestions, models, scores, study and tracking store": in_trials - in_epochs,
        "start, report, and cores without a trial": whole - in_trials,
    }
    click.echo("{processor}, {cores} cores, {cpu_features}".format_map(hardware()))
    click.echo(f"\n{n_trials} trials of at most {max_epochs} epochs, {_ROWS:,} x {_COLUMNS}: {wall:.0f} s\n")
    click.echo("| part | seconds of all cores | share |\n|---|---|---|")
    for part, value in parts.items():
        click.echo(f"| {part} | {value:.1f} | {value / whole:.0%} |")


def _table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((_ROWS, _COLUMNS))
    y = x @ rng.standard_normal(_COLUMNS) + np.sin(3 * x[:, 0]) * x[:, 1] + rng.standard_normal(_ROWS)
    return pd.DataFrame({**{f"x{i}": column for i, column in enumerate(x.T)}, "y": y})


def _study(n_trials: int, max_epochs: int, database: str) -> tuple[dict[EpochGraph, list[float]], float]:
    """Seconds of each epoch of each graph, the first trial's graph first, and those of the whole step."""
    from steps.tune import tune

    seconds: dict[EpochGraph, list[float]] = {}
    call = EpochGraph.__call__

    def timed(graph: EpochGraph, *arguments: Any) -> Any:
        begun = time.perf_counter()
        found = call(graph, *arguments)
        seconds.setdefault(graph, []).append(time.perf_counter() - begun)
        return found

    options = (f"--n-trials={n_trials}", f"--max-epochs={max_epochs}", f"--storage={database}", "--pruner=none",
               "--stop-when=none")  # fmt: skip
    begun = time.perf_counter()
    with patch.object(EpochGraph, "__call__", timed):
        try:
            tune.main(options)
        except SystemExit as end:  # as a step ends
            if end.code:
                raise
    return seconds, time.perf_counter() - begun


def _alone(graph: EpochGraph) -> float:
    """Seconds of the matrix products and of the updates of an epoch, with nothing between them."""
    import tensorflow as tf

    config, n_numbers = graph.config, len(graph.interface.numbers)
    rows = graph.batch_size * config.n_members
    sizes = [n_numbers * (1 + config.n_bins), *config.units]
    kernels = [tf.Variable(tf.zeros(pair)) for pair in itertools.pairwise(sizes)]
    slots = [[tf.Variable(tf.zeros_like(kernel)) for _ in range(2)] for kernel in kernels]
    layers = [tf.cast(tf.random.normal((rows, size)), graph.precision) for size in sizes]

    @tf.function
    def epoch() -> tf.Tensor:
        def step(i: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            for kernel, (m, v), x, y in zip(kernels, slots, layers, layers[1:], strict=False):
                weights = tf.cast(kernel, graph.precision)
                gradient = tf.cast(tf.matmul(x, y, transpose_a=True), tf.float32)
                used = tf.matmul(x, weights)[0, 0] + tf.matmul(y, weights, transpose_b=True)[0, 0]
                total += tf.cast(used, tf.float32)
                tf.raw_ops.ResourceApplyAdam(
                    var=kernel.handle, m=m.handle, v=v.handle, beta1_power=0.5, beta2_power=0.5, lr=1e-3, beta1=0.9,
                    beta2=0.999, epsilon=1e-7, grad=gradient,
                )  # fmt: skip
            return i + 1, total

        n_steps = tf.constant(_TRAINED // graph.batch_size)
        return tf.while_loop(lambda i, _: i < n_steps, step, (0, 0.0), parallel_iterations=1)[1]

    def timed() -> float:
        begun = time.perf_counter()
        epoch().numpy()
        return time.perf_counter() - begun

    timed()  # traces
    with ThreadPoolExecutor(available_cores()) as pool:  # as in the study: with a training on every core
        return statistics.median(pool.map(lambda _: timed(), range(_REPEATS * available_cores())))


if __name__ == "__main__":
    main()
