"""Table 2: the share of the machine's GEMM peak (float32) that training reaches, one trial per core."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable

import click
import tensorflow as tf

from steps.datasets.interface import Interface
from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest
from steps.mlp.config import MLPConfig, Precision
from steps.mlp.runtime import available_cores, limit_threads
from steps.mlp.trainer import Samples, Trainer

_SIZE, _PRODUCTS = 1024, 40
_UPDATES = 100
_EPOCHS = 5
WIDTHS = (256, 512, 1024)
BATCH_SIZES = (128, 256)


def peak_table() -> str:
    """Trains two hidden layers of each width with Adam and dropout 0.2, and times pure matrix products before each."""
    limit_threads(n_jobs=available_cores())
    dataset = load_dataset(DataRequest("mnist"))
    train, validation = (Samples.of(dataset.splits[name]) for name in ("train", "validation"))
    lines = [
        f"{available_cores()} trials at once, one per core, 784-width-width-10, Adam, dropout 0.2; medians of "
        f"{_EPOCHS} epochs, each paired with matrix products of {_SIZE} x {_SIZE} in float32. The bound is the share "
        "that an epoch would reach if it consisted only of its products, at the peak, and its Adam updates\n",
        "| width | batch size | peak, GFLOP/s | float32, share of the peak | bound for float32 "
        "| bfloat16, share of the float32 peak |",
        "|---|---|---|---|---|---|",
    ]
    for width in WIDTHS:
        for batch_size in BATCH_SIZES:
            config = MLPConfig((width, width), batch_norm=False, dropout=0.2, optimizer="adam", batch_size=batch_size)
            shares: dict[Precision, list[float]] = {"float32": [], "bfloat16": []}
            peaks = []
            for precision, found in shares.items():
                trainers = [
                    Trainer(config, train, validation, interface=Interface.of(dataset),
                            epochs=_EPOCHS + 1, seed=seed, precision=precision)
                    for seed in range(available_cores())
                ]  # fmt: skip
                _seconds([trainer.run_epoch for trainer in trainers])  # traces
                for _ in range(_EPOCHS):
                    peaks.append(_gemm_flops())
                    flops = len(trainers) * _epoch_flops(width, len(train.targets), len(validation.targets))
                    found.append(flops / _seconds([trainer.run_epoch for trainer in trainers]) / peaks[-1])
            float32, bfloat16 = (statistics.median(found) for found in shares.values())
            peak = statistics.median(peaks)
            products = flops / peak
            updates = _update_seconds(width) * (len(train.targets) // batch_size)
            lines.append(
                f"| {width} | {batch_size} | {peak / 1e9:.0f} | {float32:.2f} | {products / (products + updates):.2f} "
                f"| {bfloat16:.2f} |"
            )
    return "\n".join(lines)


def _epoch_flops(width: int, n_train: int, n_validation: int) -> float:
    """Additions and multiplications of the matrix products: forward, gradients except the input's, validation."""
    first, rest = 784 * width, width * width + width * 10
    return n_train * (4 * first + 6 * rest) + n_validation * 2 * (first + rest)


def _gemm_flops() -> float:
    """Operations per second of large products, one stream per core."""

    @tf.function
    def products(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        def body(i: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return i + 1, total + tf.matmul(a, b)[0, 0]

        return tf.while_loop(lambda i, _: i < _PRODUCTS, body, (0, 0.0), parallel_iterations=1)[1]

    pairs = [(tf.random.normal((_SIZE, _SIZE)), tf.random.normal((_SIZE, _SIZE))) for _ in range(available_cores())]
    calls: list[Callable[[], object]] = [lambda a=a, b=b: products(a, b).numpy() for a, b in pairs]  # type: ignore[misc]
    _seconds(calls[:1])
    seconds = min(_seconds(calls) for _ in range(3))
    return 2 * _SIZE**3 * _PRODUCTS * len(calls) / seconds


def _update_seconds(width: int) -> float:
    """Time of one Adam update of all kernels, while every core does the same."""

    def update() -> Callable[[], object]:
        kernels = [[tf.Variable(tf.zeros(shape)) for _ in range(4)] for shape in ((784, width), (width, width))]

        @tf.function
        def updates() -> tf.Tensor:
            def body(i: tf.Tensor) -> tf.Tensor:
                for variable, m, v, gradient in kernels:
                    tf.raw_ops.ResourceApplyAdam(
                        var=variable.handle, m=m.handle, v=v.handle, beta1_power=0.5, beta2_power=0.5, lr=1e-3,
                        beta1=0.9, beta2=0.999, epsilon=1e-7, grad=gradient,
                    )  # fmt: skip
                return i + 1

            return tf.while_loop(lambda i: i < _UPDATES, body, (0,), parallel_iterations=1)[0]

        return lambda: updates().numpy()

    calls = [update() for _ in range(available_cores())]
    _seconds(calls)
    return min(_seconds(calls) for _ in range(3)) / _UPDATES


def _seconds(calls: list[Callable[[], object]]) -> float:
    """Wall time of all calls, each in its thread."""
    threads = [threading.Thread(target=call) for call in calls]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


if __name__ == "__main__":
    click.echo(peak_table())
