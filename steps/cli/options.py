"""The click options that steps share; every default of the project is written here and in `MLproject`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from steps.base.paths import DatabaseUrl, FilePath
from steps.cli.types import Names, OneOf, Real, TrialNumber, Whole

MAX_SEED = 2**31 - 1


def _datasets() -> Sequence[str]:
    from steps.datasets.catalogue import DATASETS

    return sorted(DATASETS)


def _spaces() -> set[str]:
    return {path.stem for path in (Path(__file__).parents[1] / "spaces").glob("*.yaml")}


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


seed_option = click.option(
    "--seed", type=Whole(0, MAX_SEED), default=0, help="Seed of everything that is random. Example: 1"
)

precision_option = click.option(
    "--precision",
    type=OneOf(("auto", "float32", "bfloat16")),
    default="auto",
    help="Type of the matrix products; auto times both once per machine. Weights stay float32. Example: float32",
)

download_options = _options(
    click.option("--dataset", type=OneOf(_datasets), default="mnist", help="mnist, or digits for a run in seconds."),
    click.option(
        "--validation-fraction",
        type=Real(0, 1, inclusive=False),
        default="1/6",
        help="Share of the training part that tune validates on; a number or a fraction.",
    ),
)

n_jobs_option = click.option(
    "--n-jobs",
    type=Whole(0),
    default=0,
    help="Trials at once, in threads of each process; 0: one per core, in a Dask worker one per thread. Example: 4",
)

tune_options = _options(
    click.option(
        "--n-trials",
        type=Whole(1),
        default=20,
        help="Trials of the whole study, those of earlier runs included. Example: 100",
    ),
    click.option(
        "--timeout",
        type=Real(0, 1e9),
        default=0,
        help="Start no trial after so many seconds; 0: no limit. Example: 3600",
    ),
    click.option(
        "--stop-when",
        default="",
        help="plateau[:n]: end after n (10) complete trials without a better one. Example: plateau:15",
    ),
    click.option("--max-epochs", type=Whole(1), default=10, help="Epochs of a trial that is not pruned. Example: 30"),
    n_jobs_option,
    click.option(
        "--engine",
        type=OneOf(("local", "dask")),
        default="local",
        help="Where trials run: in this process, or in each worker of a Dask cluster (docs/scale.md). Example: dask",
    ),
    click.option(
        "--address",
        default="",
        help="Scheduler of the Dask cluster; empty: engine=dask starts one on this machine. "
        "Example: tcp://10.0.0.1:8786",
    ),
    click.option(
        "--sampler",
        default="tpe",
        help="What suggests hyperparameters: tpe, random, grid (each cell of a finite space once), qmc, cmaes, nsgaii, "
        "nsgaiii, gp (needs torch). Example: cmaes",
    ),
    click.option(
        "--pruner",
        default="median",
        help="What stops a trial early: none, median, percentile, successive_halving, hyperband, patient, threshold, "
        "with settings after a colon. Example: hyperband:reduction_factor=3",
    ),
    click.option(
        "--space",
        type=FilePath(_spaces),
        default="default",
        help="Search space: default, small, grid (finite), or the path of a YAML file, relative to the folder you are "
        "in (under mlflow run: to the project's). Example: wide.yaml",
    ),
    click.option(
        "--points",
        type=FilePath(),
        default="",
        help="YAML or JSON file, a list of hyperparameters that are tried first; empty: the defaults of the space, "
        "if it states any. Its path is taken as that of --space. Example: points.yaml",
    ),
    click.option(
        "--warm-start",
        default="",
        help="A tune run ID or the name of a study, whose five best configurations are tried first. Example: wide",
    ),
    click.option(
        "--objectives",
        type=Names(),
        default="auto",
        help="What is optimized, on validation: metrics of the task (for classes accuracy, log_loss, f1_macro, recall, "
        "calibration_error), latency (ms for one row), parameters; auto: accuracy. Several give a Pareto front. "
        "Example: accuracy,latency",
    ),
    click.option("--study-name", default="", help="Name of the study; given again, the study continues. Example: wide"),
    click.option(
        "--storage",
        type=DatabaseUrl(),
        default="",
        help="Optuna storage URL, without password; empty: SQLite beside MLflow's. Example: sqlite:///study.db",
    ),
)

evaluate_options = _options(
    click.option(
        "--select",
        type=TrialNumber(),
        default="auto",
        help="Trial to evaluate: its number, or auto: the best one, with several objectives the cheapest within "
        "0.2 points of the best accuracy. Example: 7",
    ),
    click.option("--final-epochs", type=Whole(1), default=50, help="Epochs of the final training."),
    click.option("--model-name", default="", help="Registered model; empty: <dataset>-mlp."),
    click.option(
        "--require",
        default="",
        help="Bounds that metrics of the test split must keep for approval. Example: accuracy>=0.9,recall>=0.5",
    ),
    click.option(
        "--alpha",
        type=Real(0, 1, inclusive=False),
        default=0.05,
        help="Level of the test against the champion: the chance that it changes between equally good models.",
    ),
    click.option(
        "--promote",
        type=OneOf(("always", "significant", "never")),
        default="significant",
        help="When an approved version becomes champion: significant, if it is better and the test says so.",
    ),
)


model_uri_option = click.option(
    "--model-uri",
    default="models:/mnist-mlp@champion",
    help="Registered model: models:/<name>@<alias> or models:/<name>/<version>.",
)
