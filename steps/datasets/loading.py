"""From a request to a data set: open the source, infer its columns, split and encode the rows."""

from __future__ import annotations

from steps.base.errors import InputError
from steps.datasets.catalogue import IMAGES
from steps.datasets.dataset import Dataset
from steps.datasets.images import check_no_columns, images_as_dataset, pixels_as_images
from steps.datasets.request import DataRequest
from steps.datasets.sources.digest import content_digest
from steps.datasets.sources.opening import check_source, open_source
from steps.datasets.sources.source import ImageSource, TableSource
from steps.datasets.tables import table_as_dataset


def load_dataset(request: DataRequest) -> Dataset:
    """The data set of a request.

    Raises:
        InputError: The data cannot be used, or contradict the request; one line.
        DataError: The data are damaged or out of reach.
    """
    check(request)
    source = _opened(request.dataset, "dataset", request.image_shape)
    test = _opened(request.test_dataset, "test_dataset", request.image_shape) if request.test_dataset else None
    if isinstance(source, ImageSource):
        check_no_columns(request)
    elif request.image_shape:
        source = pixels_as_images(source, request.target, request.image_shape)
        if isinstance(test, TableSource):
            test = pixels_as_images(test, request.target, request.image_shape)
    if isinstance(source, ImageSource):
        if test is not None and not isinstance(test, ImageSource):
            raise InputError(f"test_dataset must be images, as dataset is, got {request.test_dataset!r}")
        return images_as_dataset(source, test, request)
    if test is not None and not isinstance(test, TableSource):
        raise InputError(f"test_dataset must be a table, as dataset is, got {request.test_dataset!r}")
    return table_as_dataset(source, test, request)


def check(request: DataRequest) -> None:
    """Refuse data that do not exist, before anything runs.

    Raises:
        InputError: There are no such data; the message suggests the most similar name.
    """
    check_source(request.dataset, IMAGES)
    if request.test_dataset:
        check_source(request.test_dataset, IMAGES, "test_dataset")


def content_of(request: DataRequest) -> dict[str, str]:
    """Digests of the files in a request, for a fingerprint; a name of the catalogue stands for itself."""
    given = {"dataset": request.dataset, "test_dataset": request.test_dataset}
    return {f"content of {name}": content_digest(text) for name, text in given.items()}


def _opened(given: str, parameter: str, image_shape: tuple[int, ...]) -> TableSource | ImageSource:
    if given in IMAGES:
        return IMAGES[given]()
    return open_source(given, parameter, image_shape)
