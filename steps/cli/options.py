"""The options of all commands, each once; `MLproject` repeats the defaults, and a test holds the two equal."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
from click import Choice, IntRange

from steps.cli.types import DatabaseUrl, FilePath, FractionRange, ImageShape, Names, RunId, StepOption, TrialNumber
from steps.datasets.request import NAMED

MAX_SEED = 2**31 - 1
SAMPLERS = ("tpe", "random", "grid", "qmc", "cmaes", "nsgaii", "nsgaiii", "gp")

_INSIDE_UNIT = FractionRange(0, 1, min_open=True, max_open=True)

option = partial(click.option, cls=StepOption)


def _spaces() -> set[str]:
    return {path.stem for path in (Path(__file__).parents[1] / "spaces").glob("*.yaml")}


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        for add in reversed(options):
            function = add(function)
        return function

    return decorate


seed_option = option(
    "--seed", type=IntRange(0, MAX_SEED), default=0, help="Seed of everything that is random. Example: 1"
)

precision_option = option(
    "--precision",
    type=Choice(("auto", "float32", "bfloat16")),
    default="auto",
    help="Type of the matrix products; auto times both once per machine. Weights stay float32. Example: float32",
)

download_options = _options(
    option(
        "--dataset",
        type=FilePath(lambda: NAMED),
        default="mnist",
        help="A file (.csv, .parquet, .feather, .npz), a folder of images with a folder per class, an address, "
        "openml:<id>, or a name: mnist; digits, breast_cancer, wine, diabetes or iris for a run in seconds.",
    ),
    option(
        "--target", default="", help="Column of a table to predict; empty: lists the columns, the likely ones first."
    ),
    option(
        "--task",
        type=Choice(("auto", "classification", "regression")),
        default="auto",
        help="What the target is; auto: words, booleans and few whole numbers are classes, else a number.",
    ),
    option(
        "--positive-class",
        default="",
        help="Of two classes, the one that recall and precision are about; empty: yes, true, 1, else the rarer one.",
    ),
    option(
        "--ignore-columns", type=Names(may_be_empty=True), default="", help="Columns to leave out, with commas between."
    ),
    option(
        "--categorical-columns",
        type=Names(may_be_empty=True),
        default="",
        help="Columns of codes, which look like numbers and are categories. Example: zip,shop",
    ),
    option(
        "--date-columns",
        type=Names(may_be_empty=True),
        default="",
        help="Columns of dates or times that are not found as such.",
    ),
    option("--weight-column", default="", help="Column that says how much each row counts in the training loss."),
    option("--group-column", default="", help="Column whose equal values stay on one side of each split (a customer)."),
    option(
        "--time-column", default="", help="Column by which train comes before validation, and validation before test."
    ),
    option("--split-column", default="", help="Column that names the split of each row: train, validation, test."),
    option("--test-dataset", type=FilePath(lambda: NAMED), default="", help="Data that become the test split."),
    option(
        "--image-shape",
        type=ImageShape(),
        default="",
        help="Size to which images are brought, or that the numbers of a table form, such as 28x28; empty: found.",
    ),
    option(
        "--test-fraction",
        type=_INSIDE_UNIT,
        default="1/5",
        help="Share of the rows that is held out for evaluate, unless they come split; the seed does not change it.",
    ),
    option(
        "--validation-fraction",
        type=_INSIDE_UNIT,
        default="1/6",
        help="Share of the other rows that tune validates on; a number or a fraction.",
    ),
    option(
        "--folds",
        type=IntRange(0),
        default=0,
        help="Folds by which tune validates in place of one split: a trial's metrics are their means. 0: 5 for tables "
        "of at most 1,000 such rows, else none; 1: none. Example: 10",
    ),
)

n_jobs_option = option(
    "--n-jobs",
    type=IntRange(0),
    default=0,
    help="Trials at once, in threads of each process; 0: one per core, in a Dask worker one per thread. Example: 4",
)

tune_options = _options(
    option(
        "--n-trials",
        type=IntRange(1),
        default=20,
        help="Trials of the whole study, those of earlier runs included. Example: 100",
    ),
    option(
        "--timeout",
        type=FractionRange(0, 1e9),
        default=0,
        help="Seconds after which no trial is started; 0: no limit. Example: 3600",
    ),
    option(
        "--stop-when",
        default="",
        help="plateau[:n]: end after n (10) complete trials without a better one. Example: plateau:15",
    ),
    option(
        "--max-epochs",
        type=IntRange(0),
        default=0,
        help="Epochs of a trial that is not pruned; 0: 10 for images, for tables by their rows. Example: 30",
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
        "relative to the folder you are in (under mlflow run: to the project's). Example: wide.yaml",
    ),
    option(
        "--points",
        type=FilePath(),
        default="",
        help="YAML or JSON file, a list of hyperparameters that are tried first; empty: the defaults of the space, "
        "if it states any. Its path is taken as that of --space. Example: points.yaml",
    ),
    option(
        "--warm-start",
        default="",
        help="A tune run ID or the name of a study; its five best configurations are tried first. Example: wide",
    ),
    option(
        "--objectives",
        type=Names(),
        default="auto",
        help="Metrics to optimize, on validation: those of the task, by scikit-learn's names (for classes accuracy, "
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
    option("--study-name", default="", help="Name of the study; given again, the study continues. Example: wide"),
    option(
        "--storage",
        type=DatabaseUrl(),
        default="",
        help="Optuna storage URL, without password; empty: SQLite beside MLflow's. Example: sqlite:///study.db",
    ),
)

evaluate_options = _options(
    option(
        "--select",
        type=TrialNumber(),
        default="auto",
        help="Number of the trial to evaluate; auto: the best one, with several objectives the cheapest within "
        "the tolerance of the best value (0.2 points of accuracy, 0.002 of roc_auc, 1 % of rmse). Example: 7",
    ),
    option(
        "--final-epochs",
        type=IntRange(0),
        default=0,
        help="Epochs of the final training; 0: 50 for images, for tables those of a trial.",
    ),
    option("--model-name", default="", help="Registered model; empty: <dataset>-mlp."),
    option(
        "--require",
        default="",
        help="Bounds that metrics of the test split must keep for approval. Examples: accuracy>=0.9,recall>=0.5, "
        "rmse<=500",
    ),
    option(
        "--alpha",
        type=_INSIDE_UNIT,
        default=0.05,
        help="Significance level of the test against the champion: the chance of replacing it by an equally good "
        "model.",
    ),
    option(
        "--promote",
        type=Choice(("always", "significant", "never")),
        default="significant",
        help="When an approved version becomes champion; significant: if it is better and the test says so.",
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
    help="A tune run that is running; empty: the newest of the experiment. Example: 988e50e4e2384849b81eb091c5a8a5e9",
)

redraw_run_id_option = option(
    "--run-id",
    type=RunId(),
    default="",
    help="The tune or evaluate run. Example: 988e50e4e2384849b81eb091c5a8a5e9",
)

reuse_option = option("--reuse", type=bool, default=True, help="Reuse finished steps that would not change.")

model_uri_option = option(
    "--model-uri",
    default="models:/mnist-mlp@champion",
    help="Registered model: models:/<name>@<alias> or models:/<name>/<version>.",
)

predict_options = _options(
    option(
        "--input",
        type=FilePath(),
        default="",
        help="A table (.csv, .parquet, .feather, .npz, a folder of .parquet files), or a folder or glob of images.",
    ),
    option(
        "--key-column",
        default="",
        help="Column of a table by which the output names its rows; empty: their numbers. Example: customer_id",
    ),
    option("--output", type=FilePath(), default="", help="The .csv or .parquet file to write."),
    option("--overwrite", type=bool, default=False, help="Replace the output if it exists."),
    option(
        "--invert",
        type=bool,
        default=False,
        help="Images only: swap dark and light, for dark writing on white paper (MNIST is white on black).",
    ),
)

registry_options = _options(
    option("--model-name", default="", help="Registered model; empty: all."),
    option("--version", type=IntRange(0), default=0, help="Show everything this version was made from; 0: list all."),
    option("--rollback", type=bool, default=False, help="Give the alias champion back to the version before."),
    option("--format", type=Choice(("text", "json")), default="text", help="For people, or for programs."),
)
