"""Options of all commands, each defined once; `MLproject` repeats the defaults, and a test keeps the two equal."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
from click import Choice, IntRange

from steps.cli.types import DatabaseUrl, FilePath, FractionRange, Names, RunId, StepOption, TrialNumber

MAX_SEED = 2**31 - 1
SAMPLERS = ("tpe", "bayes", "random", "grid", "qmc", "cmaes", "nsgaii", "nsgaiii", "gp")

INSIDE_UNIT = FractionRange(0, 1, min_open=True, max_open=True)

option = partial(click.option, cls=StepOption)


def _spaces() -> set[str]:
    return {path.stem for path in (Path(__file__).parents[1] / "spaces").glob("*.yaml")}


def together(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options as one decorator, in the order of `--help`."""

    def decorate(function: Any) -> Any:
        for add in reversed(options):
            function = add(function)
        return function

    return decorate


seed_option = option("--seed", type=IntRange(0, MAX_SEED), default=0, help="Seed of all random numbers. Example: 1")

precision_option = option(
    "--precision",
    type=Choice(("auto", "float32", "bfloat16")),
    default="auto",
    help="Type of the matrix products; auto times both once per machine. Weights stay float32. Example: float32",
)

n_jobs_option = option(
    "--n-jobs",
    type=IntRange(0),
    default=0,
    help="Parallel trials, in threads of each process; 0: one per core, in a Dask worker one per thread. Example: 4",
)

tune_options = together(
    option(
        "--n-trials",
        type=IntRange(1),
        default=20,
        help="Trials of the whole study, including those of earlier runs. Example: 100",
    ),
    option(
        "--timeout",
        type=FractionRange(0, 1e9),
        default=0,
        help="Seconds after which no trial is started; on tables, running ones end early. 0: no limit. Example: 3600",
    ),
    option(
        "--stop-when",
        default="auto",
        help="Early end of the study. auto: when the trials that are left are expected to improve the best one by less "
        "than one standard error, from the eighth trial on; plateau[:n]: after n (10) complete trials without "
        "a better one; none. Example: none",
    ),
    option(
        "--max-epochs",
        type=IntRange(0),
        default=0,
        help="Epochs of a trial that is not pruned; 0: by the number of rows, 10 for MNIST. Example: 30",
    ),
    n_jobs_option,
    option(
        "--engine",
        type=Choice(("local", "dask")),
        default="local",
        help="Where trials run: in this process, or in each worker of a Dask cluster (docs/scale.md). Example: dask",
    ),
    option(
        "--address",
        default="",
        help="Scheduler of the Dask cluster; empty: engine=dask starts one on this machine. "
        "Example: tcp://10.0.0.1:8786",
    ),
    option(
        "--sampler",
        type=Choice(SAMPLERS),
        default="tpe",
        help="Algorithm that suggests hyperparameters; grid runs each cell of a finite space once, gp needs torch. "
        "Example: cmaes",
    ),
    option(
        "--pruner",
        default="median",
        help="Algorithm that stops a trial early: none, median, percentile, successive_halving, hyperband, "
        "patient, threshold, with settings after a colon. Example: hyperband:reduction_factor=3",
    ),
    option(
        "--space",
        type=FilePath(_spaces),
        default="auto",
        help="Search space: auto (image or table, by the data), small, grid (finite), or the path of a YAML file, "
        "relative to the current folder (with mlflow run: to the project's). Example: wide.yaml",
    ),
    option(
        "--points",
        type=FilePath(),
        default="",
        help="YAML or JSON file with a list of configurations to try first; empty: the defaults of the space, "
        "if it has any. Relative paths as for --space. Example: points.yaml",
    ),
    option(
        "--warm-start",
        default="",
        help="ID of a tune run or name of a study whose five best configurations are tried first. Example: wide",
    ),
    option(
        "--objectives",
        type=Names(),
        default="auto",
        help="Metrics to optimize, on validation: those of the task, with scikit-learn's names (for classes accuracy, "
        "log_loss, roc_auc, f1_macro and others, for numbers rmse, mae, r2, median_absolute_error), latency (ms for "
        "one row), parameters; auto: accuracy, for two classes of a table roc_auc, for numbers rmse. Several give a "
        "Pareto front. Example: accuracy,latency",
    ),
    option(
        "--class-weight",
        type=Choice(("none", "balanced")),
        default="none",
        help="balanced: all classes count the same in the training loss, however rare. Example: balanced",
    ),
    option("--study-name", default="", help="Name of the study; an existing study is continued. Example: wide"),
    option(
        "--storage",
        type=DatabaseUrl(),
        default="",
        help="Optuna storage URL, without password; empty: SQLite next to MLflow's. Example: sqlite:///study.db",
    ),
)

evaluate_options = together(
    option(
        "--select",
        type=TrialNumber(),
        default="auto",
        help="Number of the trial to evaluate; auto: the best one, or the default of the space if the best is not told "
        "apart from it; with several objectives, the cheapest within the tolerance of the best value (0.2 points of "
        "accuracy, 0.002 of roc_auc, 1 % of rmse). Example: 7",
    ),
    option(
        "--ensemble",
        type=IntRange(1),
        default=1,
        help="Networks whose mean is registered as one model, of the trials that mix best on validation; 1: the "
        "selected trial alone. Example: 8",
    ),
    option(
        "--final-epochs",
        type=IntRange(0),
        default=0,
        help="Epochs of the final training; 0: as many as in a trial, for images at least 50 to 100.",
    ),
    option("--model-name", default="", help="Registered model; empty: <dataset>-mlp."),
    option(
        "--require",
        default="",
        help="Bounds on metrics of the test split, required for approval. Examples: accuracy>=0.9,recall>=0.5, "
        "rmse<=500",
    ),
    option(
        "--costs",
        default="",
        help="Two classes only: cost of a false positive and of a false negative. The model predicts by the threshold "
        "with the least cost on validation; empty: the more probable class. Example: fp:1,fn:5",
    ),
    option(
        "--alpha",
        type=INSIDE_UNIT,
        default=0.05,
        help="Significance level of the test against the champion: the probability of replacing it with an equally "
        "good model.",
    ),
    option(
        "--promote",
        type=Choice(("always", "significant", "never")),
        default="significant",
        help="When an approved version becomes champion; significant: if it is significantly better.",
    ),
)


data_run_id_option = option(
    "--data-run-id",
    type=RunId(),
    default="",
    help="A download run; empty: the newest, or a new one. Example: 988e50e4e2384849b81eb091c5a8a5e9",
)

tune_run_id_option = option(
    "--tune-run-id", type=RunId(), default="", help="A finished tune run; empty: the newest of the experiment."
)

running_tune_run_id_option = option(
    "--tune-run-id",
    type=RunId(),
    default="",
    help="An active tune run; empty: the newest of the experiment. Example: 988e50e4e2384849b81eb091c5a8a5e9",
)

redraw_run_id_option = option(
    "--run-id",
    type=RunId(),
    default="",
    help="The download, tune or evaluate run. Example: 988e50e4e2384849b81eb091c5a8a5e9",
)

reuse_option = option("--reuse", type=bool, default=True, help="Reuse finished steps whose results would not change.")

model_uri_option = option(
    "--model-uri",
    default="models:/mnist-mlp@champion",
    help="Registered model: models:/<name>@<alias> or models:/<name>/<version>.",
)

predict_options = together(
    option(
        "--input",
        type=FilePath(),
        default="",
        help="A table (.csv, .csv.gz, .parquet, .feather, .npz, a folder of .parquet), or a folder or glob of images.",
    ),
    option(
        "--key-column",
        default="",
        help="Column of a table that identifies rows in the output; empty: row numbers. Example: customer_id",
    ),
    option(
        "--labels",
        type=FilePath(),
        default="",
        help="A table with the key column and the target, if the labels came later: scores the input, which may also "
        "be an earlier output; output may then be empty. Example: outcomes.csv",
    ),
    option("--output", type=FilePath(), default="", help="The .csv or .parquet file to write."),
    option("--overwrite", type=bool, default=False, help="Replace the output if it exists."),
    option(
        "--sets",
        type=FractionRange(0, 1),
        default=0,
        help="Classes only: level of the prediction sets in an additional column prediction_set, the classes that are "
        "not ruled out; 0: none. Example: 0.9",
    ),
    option(
        "--invert",
        type=bool,
        default=False,
        help="Images only: invert brightness, for dark writing on white paper (MNIST is white on black).",
    ),
)

registry_options = together(
    option("--model-name", default="", help="Registered model; empty: all."),
    option("--version", type=IntRange(0), default=0, help="Version whose lineage to show; 0: list all versions."),
    option("--rollback", type=bool, default=False, help="Return the alias champion to the version before."),
    option(
        "--format",
        type=Choice(("text", "json")),
        default="text",
        help="Output for people (text) or for programs (json).",
    ),
)
