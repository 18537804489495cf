"""Images with a class each become a data set of raw pixels."""

from __future__ import annotations

import numpy as np

from steps.base.errors import InputError
from steps.datasets.dataset import Dataset, Split
from steps.datasets.request import DataRequest
from steps.datasets.sources.source import ImageSource
from steps.datasets.split import stratified
from steps.datasets.tabular.target import Target

_OF_TABLES = (
    "target", "ignore_columns", "categorical_columns", "date_columns", "weight_column", "group_column", "time_column",
    "split_column",
)  # fmt: skip


def images_as_dataset(source: ImageSource, test: ImageSource | None, request: DataRequest) -> Dataset:
    """Images with their classes, split by class as far as they do not come split.

    Raises:
        InputError: A parameter that only a table can have, test images of other classes or another size, or too few
            images.
    """
    for name in _OF_TABLES:
        if given := getattr(request, name):
            raise InputError(f"{name} must be empty for images, which have no columns, got {given!r}")
    if request.task == "regression":
        raise InputError("task must be auto or classification for images, got 'regression'")
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
        # By a seed of its own: versions that were trained with different seeds are compared on the same images.
        rest, splits["test"] = stratified(rest, request.test_fraction, seed=0, parameter="test_fraction")
    if "validation" not in splits:
        rest, splits["validation"] = stratified(rest, request.validation_fraction, request.seed)
    return Dataset(
        name=source.name,
        splits={"train": rest, "validation": splits["validation"], "test": splits["test"]},
        target=Target("classification", class_names=class_names, positive_class=_positive(request, class_names)),
        request=request,
        source=source.source,
        feature_max=float(source.brightest),
        image_shape=tuple(source.images.shape[1:]),
        notes=source.notes,
    )


def _split_of(source: ImageSource, class_names: tuple[str, ...], parameter: str) -> Split:
    if unknown := sorted(set(source.labels) - set(class_names)):
        raise InputError(f"{parameter} must have the classes {', '.join(class_names)}, got {unknown[0]!r}")
    numbers = {name: i for i, name in enumerate(class_names)}
    targets = np.array([numbers[label] for label in source.labels], np.int32)
    return Split(source.images.reshape(len(targets), -1), targets)  # (n, height, width[, 3]) -> (n, n_features)


def _given(source: ImageSource, whole: Split) -> dict[str, Split]:
    """The splits that the images come in; all of them are the training part if they come in none."""
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
    """Sorts names that are numbers by their value, before all others."""
    return (0, float(name), name) if name.isdecimal() else (1, 0.0, name)
