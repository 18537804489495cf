"""Options of the data: their source, the target, and the splits."""

from __future__ import annotations

from click import Choice, IntRange

from steps.cli.options import INSIDE_UNIT, option, together
from steps.cli.types import FilePath, ImageShape, Names

DATASETS = ("breast_cancer", "diabetes", "digits", "iris", "mnist", "wine")  # that need no file

download_options = together(
    option(
        "--dataset",
        type=FilePath(lambda: DATASETS),
        default="mnist",
        help="A file (.csv, .parquet, .feather, .npz), a folder with one folder of images per class, a URL, "
        "openml:<id>, or a name: mnist; digits, breast_cancer, wine, diabetes or iris for a run in seconds.",
    ),
    option("--target", default="", help="Column of a table to predict; empty: list the columns, likely targets first."),
    option(
        "--task",
        type=Choice(("auto", "classification", "regression")),
        default="auto",
        help="Kind of prediction; auto: classification for words, booleans or few different integers, else regression.",
    ),
    option(
        "--positive-class",
        default="",
        help="With two classes, the one that recall and precision refer to; empty: yes, true, 1, else the rarer one.",
    ),
    option(
        "--ignore-columns", type=Names(may_be_empty=True), default="", help="Columns to leave out, separated by commas."
    ),
    option(
        "--categorical-columns",
        type=Names(may_be_empty=True),
        default="",
        help="Columns of codes that look like numbers but are categories. Example: zip,shop",
    ),
    option(
        "--date-columns",
        type=Names(may_be_empty=True),
        default="",
        help="Columns of dates or times that are not recognized automatically.",
    ),
    option("--weight-column", default="", help="Column with the weight of each row in the training loss."),
    option("--group-column", default="", help="Column of groups, such as customers; a group is never split."),
    option(
        "--time-column", default="", help="Column of times: train comes before validation, and validation before test."
    ),
    option("--split-column", default="", help="Column with the split of each row: train, validation or test."),
    option("--test-dataset", type=FilePath(lambda: DATASETS), default="", help="Data that become the test split."),
    option(
        "--image-shape",
        type=ImageShape(),
        default="",
        help="Size to which images are resized, or in which a table holds pixels, such as 28x28; empty: inferred.",
    ),
    option(
        "--test-fraction",
        type=INSIDE_UNIT,
        default="1/5",
        help="Share of rows held out for evaluate, unless the data are split already; independent of the seed.",
    ),
    option(
        "--validation-fraction",
        type=INSIDE_UNIT,
        default="1/6",
        help="Share of the remaining rows that tune validates on; a number or a fraction.",
    ),
    option(
        "--folds",
        type=IntRange(0),
        default=0,
        help="Folds for cross-validation in tune instead of one split; metrics are means over folds. 0: 5 for tables "
        "of at most 1,000 remaining rows, else none; 1: none. Example: 10",
    ),
)
