"""`python -m benchmarks.at_once`: seconds per epoch of several trainings at once, on the GPU if there is one.

The tables of docs/speed.md. Fewer trainings than cores share the cores between them. The first epoch, in which the
graph is traced and compiled, stands apart; the others of all numbers of trainings are interleaved.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import click
import numpy as np

from steps.base.libraries import import_tensorflow

import_tensorflow()

import tensorflow as tf  # noqa: E402

from steps.datasets.interface import Interface  # noqa: E402
from steps.datasets.loading import load_dataset  # noqa: E402
from steps.datasets.request import DataRequest  # noqa: E402
from steps.datasets.tabular.target import Target  # noqa: E402
from steps.mlp.config import MLPConfig  # noqa: E402
from steps.mlp.graphs import Graphs  # noqa: E402
from steps.mlp.runtime import hardware, limit_threads, resolve_precision, threads_of_each  # noqa: E402
from steps.mlp.trainer import Samples, Trainer  # noqa: E402
from steps.search.space.file import load_space, space_path  # noqa: E402

_ROWS, _COLUMNS = 50_000, 20


@click.command()
@click.option("--at-once", default="1,2,4,8", show_default=True, help="Numbers of trainings, separated by commas.")
@click.option("--epochs", default=5, show_default=True, help="Epochs after the first one.")
def main(at_once: str, epochs: int) -> None:
    """Print a Markdown table."""
    numbers = [int(number) for number in at_once.split(",")]
    limit_threads(max(numbers))
    click.echo("{processor}, {cores} cores, {cpu_features}, GPU: {gpus}".format_map(hardware()))
    click.echo(f"Precision: {resolve_precision('auto')}")
    click.echo(
        f"\n| seconds per epoch divided by trainings | {' | '.join(f'{number} at once' for number in numbers)} |"
    )
    click.echo(f"|---|{'---|' * len(numbers)}")
    for name, (samples, interface, config) in _cases().items():
        seconds = _seconds(samples, interface, config, numbers, epochs)
        others = [f"{statistics.median(later) / number:.3f}" for number, (_, *later) in seconds.items()]
        click.echo(f"| {name} | {' | '.join(others)} |")
        click.echo(f"| {name}, first epoch | {' | '.join(f'{first:.2f}' for first, *_ in seconds.values())} |")


def _cases() -> dict[str, tuple[Samples, Interface, MLPConfig]]:
    """MNIST with the first trial of its space, and a table of 50,000 rows of 20 numbers with that of its own."""
    mnist = load_dataset(DataRequest("mnist"))
    rng = np.random.default_rng(0)
    features = rng.standard_normal((_ROWS, _COLUMNS)).astype(np.float32)
    target = Target("regression", low=-10.0, high=10.0)
    table = Interface(target, _COLUMNS, np.dtype("float32"), 1.0, None, numbers=tuple(range(_COLUMNS)))
    return {
        "MNIST": (Samples.of(mnist.splits["train"]), Interface.of(mnist), _first("image")),
        "table": (Samples(tf.constant(features), tf.constant(features @ rng.standard_normal(_COLUMNS), tf.float32)),
                  table, _first("table")),
    }  # fmt: skip


def _first(space: str) -> MLPConfig:
    return MLPConfig.from_hyperparameters(load_space(space_path(space)).complete({}))


def _seconds(
    samples: Samples, interface: Interface, config: MLPConfig, numbers: Sequence[int], epochs: int
) -> dict[int, list[float]]:
    """Of each epoch, by number of trainings at once."""
    found: dict[int, list[float]] = {number: [] for number in numbers}
    trainers, graphs = {}, Graphs()
    for number in numbers:
        trainers[number] = [
            Trainer(config, samples, None, interface=interface, epochs=epochs + 1, seed=seed,
                    precision=resolve_precision("auto"), threads=threads_of_each(number), graphs=graphs)
            for seed in range(number)
        ]  # fmt: skip
    for _ in range(epochs + 1):
        for number, seconds in found.items():
            with ThreadPoolExecutor(number) as pool:
                begun = time.perf_counter()
                list(pool.map(Trainer.run_epoch, trainers[number]))
                seconds.append(time.perf_counter() - begun)
    return found


if __name__ == "__main__":
    main()
