"""Grid, random and Bayesian search with the same budget on the digits data: how good is the best trial so far?

Each strategy runs one study for each seed, over the same ranges. A grid has no seed but its order, so its cells are
trained once and tried in another order for each seed. The measure is the validation log loss after ten epochs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import numpy as np
import optuna
from matplotlib.ticker import NullFormatter

from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.report.charts.chart import ACCENT, MUTED, SECOND, Chart, canvas
from steps.search.space.file import load_space
from steps.search.strategy.grid import cells
from steps.search.strategy.samplers import make_sampler

HERE = Path(__file__).parent
EPOCHS = 10
SHOWN = (1, 3, 6, 12, 24)  # trials after which the table looks
Train = Callable[[Mapping[str, Any]], float]  # hyperparameters -> validation log loss


@click.command()
@click.option("--seeds", default=5, show_default=True, help="Studies of each strategy.")
@click.option("--trials", default=24, show_default=True, help="Trials of each study, at most the 24 cells of the grid.")
@click.option("--figure", type=click.Path(path_type=Path), default="docs/images/strategies.png", show_default=True)
def main(seeds: int, trials: int, figure: Path) -> None:
    """Print a Markdown table and draw a figure."""
    quiet_libraries()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    train = trainer()
    with ThreadPoolExecutor(max_workers=2) as pool:
        grid = list(pool.map(train, cells(load_space(HERE / "strategies_grid.yaml"))))
        orders = [random.Random(seed).sample(grid, len(grid))[:trials] for seed in range(seeds)]
        studies = [(name, seed) for name in ("random", "tpe") for seed in range(seeds)]
        found = list(pool.map(lambda study: search(*study, trials, train), studies))
    losses = {
        "grid": np.array(orders),
        "random": np.array(found[:seeds]),
        "Bayesian (tpe)": np.array(found[seeds:]),
    }  # each (seeds, trials)
    best = {name: np.minimum.accumulate(values, axis=1) for name, values in losses.items()}
    click.echo(table(best))
    draw(best, figure)


def trainer() -> Train:
    """Trains one configuration on digits."""
    import_tensorflow()
    from steps.datasets.loading import load_dataset
    from steps.datasets.request import DataRequest
    from steps.mlp.config import MLPConfig
    from steps.mlp.runtime import limit_threads
    from steps.search.trials.context import TrialContext

    limit_threads(2)
    data = load_dataset(DataRequest("digits"))
    context = TrialContext.of(data, space=load_space(HERE / "strategies_ranges.yaml"), epochs=EPOCHS)

    def loss(hyperparameters: Mapping[str, Any]) -> float:
        run = context.trainer(MLPConfig.from_hyperparameters(hyperparameters))
        return [context.score(run.run_epoch())["val_log_loss"] for _ in range(EPOCHS)][-1]

    return loss


def search(sampler: str, seed: int, n_trials: int, train: Train) -> list[float]:
    """Log loss of each trial of one study."""
    space = load_space(HERE / "strategies_ranges.yaml")
    study = optuna.create_study(sampler=make_sampler(sampler, seed, space))
    study.optimize(lambda trial: train(space.suggest(trial)), n_trials)
    return [trial.values[0] for trial in study.trials]


def table(best: Mapping[str, np.ndarray]) -> str:
    """Mean over the seeds of the best log loss so far, a row for each strategy."""
    n_seeds, n_trials = next(iter(best.values())).shape
    shown = [n for n in SHOWN if n <= n_trials]
    head = ["| best validation log loss after | " + " | ".join(f"{n} trials" for n in shown) + " |"]
    head.append("|---|" + "---|" * len(shown))
    rows = [
        f"| {name} | " + " | ".join(f"{values[:, n - 1].mean():.3f}" for n in shown) + " |"
        for name, values in best.items()
    ]
    return "\n".join([*head, *rows, "", f"Means over {n_seeds} studies."])


def draw(best: Mapping[str, np.ndarray], path: Path) -> None:
    """Mean over the seeds with the range from the best to the worst study."""
    figure, axes = canvas(8, 4.2)
    looks = zip((MUTED, SECOND, ACCENT), ("--", "-.", "-"), ("s", "^", "o"), strict=True)
    for (name, values), (color, dashes, marker) in zip(best.items(), looks, strict=True):
        x = range(1, values.shape[1] + 1)
        axes.fill_between(x, values.min(0), values.max(0), color=color, alpha=0.13, linewidth=0)
        axes.plot(x, values.mean(0), dashes, color=color, marker=marker, markersize=4, label=name)
    axes.set(xlabel="trials", ylabel="best validation log loss so far", yscale="log")
    axes.set_title("The same budget, three strategies (lines: means; bands: best to worst study)")
    axes.set_yticks([0.1, 0.2, 0.5, 1, 2])
    axes.yaxis.set_major_formatter("{x:g}")  # powers would need mathematical text
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(which="both", axis="y")
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    Chart(figure, "The same budget, three strategies").save(path)


if __name__ == "__main__":
    main()
