"""Time until each pruner reaches the best validation accuracy, on MNIST with the default budget.

Complete learning curves of random configurations are recorded once, with the seconds of each epoch. Every pruner then
replays the same random draws of 20 configurations on as many workers as recorded them: it sees an epoch when its
recorded seconds are over, and a stopped trial frees its worker. All pruners thus see the same curves, with the same
noise.
"""

from __future__ import annotations

import heapq
import json
import os
import random
import statistics
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click
import optuna
from optuna.trial import TrialState

from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.search.strategy.pruners import PrunerSpec

PRUNERS = (
    "none", "median", "percentile:percentile=25", "percentile:percentile=50", "successive_halving", "hyperband",
    "patient:wrapped=median", "patient:wrapped=none", "threshold:lower=0.9",
)  # fmt: skip
N_TRIALS, MAX_EPOCHS = 20, 10  # the default budget
NEAR = 0.001  # accuracy that counts as reaching the best


@dataclass(frozen=True)
class Curve:
    """Validation accuracy after each epoch, and the seconds that each took."""

    accuracies: list[float]
    seconds: list[float]


@dataclass(frozen=True)
class Replay:
    """One study: seconds until a complete trial came near the best of its draw, seconds in all, its best accuracy."""

    until_near: float
    total: float
    best: float


@click.command()
@click.option("--configs", default=40, show_default=True, help="Random configurations to record.")
@click.option("--dataset", default="mnist", show_default=True, help="mnist or digits.")
@click.option("--draws", default=200, show_default=True, help="Studies that each pruner replays.")
@click.option("--curves", type=click.Path(path_type=Path), help="JSON file of curves: read if there, else written.")
def main(configs: int, dataset: str, draws: int, curves: Path | None) -> None:
    """Print one table, a row for each pruner; seconds are medians over the draws."""
    quiet_libraries()
    if curves and curves.exists():
        bank = [Curve(**entry) for entry in json.loads(curves.read_text())]
    else:
        bank = record(dataset, configs)
        if curves:
            curves.write_text(json.dumps([vars(curve) for curve in bank]))
    n_jobs = os.cpu_count() or 1
    numbers = [random.Random(seed).sample(range(len(bank)), min(N_TRIALS, len(bank))) for seed in range(draws)]
    rows = {}
    for spec in PRUNERS:
        rows[spec] = [replay([bank[i] for i in draw], spec, n_jobs, seed) for seed, draw in enumerate(numbers)]
        click.echo(f"{spec} done", err=True)
    click.echo(
        f"\n{dataset}: {draws} draws of {len(numbers[0])} from {len(bank)} recorded configurations, "
        f"{MAX_EPOCHS} epochs, {n_jobs} workers\n"
    )
    click.echo("| pruner | seconds until near the best | studies that get near it | total seconds | best accuracy |")
    click.echo("|---|---|---|---|---|")
    for spec, found in rows.items():
        near = [result.until_near for result in found]
        click.echo(
            f"| `{spec}` | {_median(near)} | {sum(map(_reached, near)) / draws:.0%} "
            f"| {statistics.median(result.total for result in found):.0f} "
            f"| {statistics.mean(result.best for result in found):.4f} |"
        )


def record(name: str, n: int) -> list[Curve]:
    """Full learning curves of `n` random configurations of the default space, one per core at a time."""
    import_tensorflow()
    from steps.datasets.loading import load_dataset
    from steps.datasets.request import DataRequest
    from steps.mlp.config import MLPConfig
    from steps.mlp.runtime import available_cores, limit_threads, resolve_precision
    from steps.search.space.file import load_space, space_path
    from steps.search.trials.context import TrialContext

    n_jobs = available_cores()
    limit_threads(n_jobs)
    precision = resolve_precision("auto")
    data = load_dataset(DataRequest(name))
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    space = load_space(space_path("image"))
    context = TrialContext.of(data, space=space, epochs=MAX_EPOCHS, precision=precision)
    configs = [MLPConfig.from_hyperparameters(space.suggest(study.ask())) for _ in range(n)]
    lock, done = threading.Lock(), iter(range(1, n + 1))

    def curve(config: MLPConfig) -> Curve:
        trainer = context.trainer(config)
        found = Curve([], [])
        for _ in range(MAX_EPOCHS):
            start = time.perf_counter()
            found.accuracies.append(context.score(trainer.run_epoch())["val_accuracy"])
            found.seconds.append(time.perf_counter() - start)
        with lock:
            click.echo(f"curve {next(done)} of {n}: {found.accuracies[-1]:.4f}", err=True)
        return found

    with ThreadPoolExecutor(n_jobs) as pool:
        return list(pool.map(curve, configs))


def replay(curves: Sequence[Curve], spec: str, n_jobs: int, seed: int) -> Replay:
    """One study with one pruner, its clock the recorded seconds."""
    study = optuna.create_study(
        direction="maximize",
        pruner=PrunerSpec.parse(spec, MAX_EPOCHS).build(),
        sampler=optuna.samplers.RandomSampler(seed),
        study_name=f"draw-{seed}",
    )
    goal = max(curve.accuracies[-1] for curve in curves) - NEAR
    waiting = list(reversed(curves))
    events: list[tuple[float, int, int]] = []  # when, trial number, epoch that ends then
    running: dict[int, tuple[optuna.Trial, Curve]] = {}
    until_near, best, now = float("inf"), 0.0, 0.0

    def start() -> None:
        if waiting:
            trial, curve = study.ask(), waiting.pop()
            running[trial.number] = (trial, curve)
            heapq.heappush(events, (now + curve.seconds[0], trial.number, 1))

    for _ in range(n_jobs):
        start()
    while events:
        now, number, epoch = heapq.heappop(events)
        trial, curve = running[number]
        accuracy = curve.accuracies[epoch - 1]
        trial.report(accuracy, epoch)
        if epoch < MAX_EPOCHS and not trial.should_prune():
            heapq.heappush(events, (now + curve.seconds[epoch], number, epoch + 1))
            continue
        if epoch == MAX_EPOCHS:
            study.tell(trial, accuracy)
            best = max(best, accuracy)
            if accuracy >= goal:
                until_near = min(until_near, now)
        else:
            study.tell(trial, state=TrialState.PRUNED)
        start()
    return Replay(until_near, now, best)


def _reached(seconds: float) -> bool:
    return seconds != float("inf")


def _median(seconds: Sequence[float]) -> str:
    median = statistics.median(seconds)
    return f"{median:.0f}" if _reached(median) else "never"


if __name__ == "__main__":
    main()
