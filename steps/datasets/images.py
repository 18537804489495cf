"""Data sets of raw pixels from images with one class each."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from steps.base.errors import InputError
from steps.datasets.dataset import TRAINING, Dataset, Split
from steps.datasets.drift.profile import Profile
from steps.datasets.pixel_columns import in_order, label_column
from steps.datasets.request import DataRequest
from steps.datasets.sources.source import ImageSource, TableSource
from steps.datasets.split import k_folds, stratified
from steps.datasets.tabular.target import Target

_OF_TABLES = (
    "target", "ignore_columns", "categorical_columns", "date_columns", "weight_column", "group_column", "time_column",
    "split_column",
)  # fmt: skip
_TASK: Final = "classification"  # of a folder per class


def images_as_dataset(source: ImageSource, test: ImageSource | None, request: DataRequest) -> Dataset:
    """Data set of images, split at random within each class unless the source is split already.

    Raises:
        InputError: Test images of other classes or another size, or too few images.
    """
    if request.task not in ("auto", _TASK):
        raise InputError(f"task must be auto or {_TASK} for images, got {request.task!r}")
    class_names = tuple(sorted(set(source.labels), key=_natural))
    whole = _split_of(source, class_names, "dataset")
    splits = _given(source, whole)
    if test is not None:
        if "test" in splits:
            raise InputError(f"test_dataset must be empty for images that come with a test split, got {test.source!r}")
        if test.images.shape[1:] != source.images.shape[1:]:
            sizes = (f"{'x'.join(map(str, images.shape[1:]))}" for images in (source.images, test.images))
            raise InputError("test_dataset must have images of the size {}, got {}; state image_shape".format(*sizes))
        splits["test"] = _split_of(test, class_names, "test_dataset")
    rest = splits.pop("train")
    if "test" not in splits:
        # A seed of its own: versions that were trained with different seeds are compared on the same images.
        rest, splits["test"] = stratified(rest, request.test_fraction, seed=0, parameter="test_fraction")
    if request.folds > 1:
        if "validation" in splits:
            raise InputError(f"folds must be 1 for images that come with a validation split, got {request.folds}")
        splits |= k_folds(rest, request.folds, request.seed)
    elif "validation" not in splits:
        rest, splits["validation"] = stratified(rest, request.validation_fraction, request.seed)
    splits = {"train": rest, **splits}
    training = [splits[name].features for name in TRAINING if name in splits]
    brightest = float(source.brightest)
    return Dataset(
        name=source.name,
        splits=splits,
        target=Target(_TASK, class_names=class_names, positive_class=_positive(request, class_names)),
        request=request,
        source=source.source,
        feature_max=brightest,
        image_shape=tuple(source.images.shape[1:]),
        profile=Profile.of_images(training, brightest),
        notes=source.notes,
    )


def check_no_columns(request: DataRequest) -> None:
    """Refuse parameters that apply to tables only.

    Raises:
        InputError: One of them is set; the message names the first.
    """
    for name in _OF_TABLES:
        if given := getattr(request, name):
            raise InputError(f"{name} must be empty for images, which have no columns, got {given!r}")


def pixels_as_images(source: TableSource, target: str, shape: tuple[int, ...]) -> ImageSource:
    """Images from a table with a column of classes and one column per pixel, in row-major order from the top left.

    Args:
        target: Column of classes; if empty, the one that the source states, or one with a usual name, such as `label`.

    Raises:
        InputError: The number of columns is wrong, a pixel is not an integer from 0 to 255, or a class is missing.
    """
    names = source.table.column_names
    label = label_column(names)
    target = target or source.target or ("" if label is None else names[label])
    if target not in names:
        raise InputError(f"target must be the column of classes of a table of pixels, got {target!r}")
    columns = [name for name in names if name != target]
    columns = [columns[i] for i in in_order(columns)]
    if len(columns) not in (math.prod(shape), 3 * math.prod(shape)):
        size = "x".join(map(str, shape))
        raise InputError(
            f"image_shape must have as many pixels as columns besides the target, got {size} for {len(columns)}"
        )
    pixels = np.empty((len(source.table), len(columns)), np.uint8)
    for i, name in enumerate(columns):
        values = source.table.column(name).to_numpy()
        if values.dtype.kind not in "iuf" or not ((values >= 0) & (values <= 255) & (values % 1 == 0)).all():
            raise InputError(f"dataset must have whole numbers from 0 to 255 in column {name!r} to form images")
        pixels[:, i] = values
    labels = source.table.column(target).to_pylist()
    if None in labels:
        raise InputError(
            f"target must have a value in every row of a table of pixels, got none in row {labels.index(None) + 1}"
        )
    whole = (*shape, 3) if len(columns) == 3 * math.prod(shape) else shape
    return ImageSource(
        pixels.reshape(-1, *whole),
        tuple(map(str, labels)),
        None,
        source.name,
        source.source,
        source.sha256,
        source.notes,
    )


def _split_of(source: ImageSource, class_names: tuple[str, ...], parameter: str) -> Split:
    if unknown := sorted(set(source.labels) - set(class_names)):
        raise InputError(f"{parameter} must have the classes {', '.join(class_names)}, got {unknown[0]!r}")
    numbers = {name: i for i, name in enumerate(class_names)}
    targets = np.array([numbers[label] for label in source.labels], np.int32)
    return Split(source.images.reshape(len(targets), -1), targets)  # (n, height, width[, 3]) -> (n, n_features)


def _given(source: ImageSource, whole: Split) -> dict[str, Split]:
    """The splits of the source; `train` alone if it is not split."""
    if source.splits is None:
        return {"train": whole}
    names = np.array(source.splits)
    return {str(name): whole.rows(np.flatnonzero(names == name)) for name in np.unique(names)}


def _positive(request: DataRequest, class_names: tuple[str, ...]) -> str:
    given = request.positive_class
    if given and (given not in class_names or len(class_names) != 2):
        raise InputError(f"positive_class must be one of two classes ({', '.join(class_names)}), got {given!r}")
    return given or (class_names[1] if len(class_names) == 2 else "")


def _natural(name: str) -> tuple[int, float, str]:
    """Sort key: numeric names by value, before all others."""
    return (0, float(name), name) if name.isdecimal() else (1, 0.0, name)
