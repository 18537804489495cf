"""The data sets there are: name -> arrays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from steps.base.files import cache_folder
from steps.datasets.dataset import Dataset, Split
from steps.datasets.fetch import fetch
from steps.datasets.idx import read_idx
from steps.datasets.split import stratified
from steps.datasets.tabular.target import Target

MNIST_FOLDER = Path(__file__).parents[2] / "data" / "mnist"
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# file: (SHA-256 of the content, SHA-256 of the compressed file as the mirrors serve it)
MNIST_FILES = {
    "train-images-idx3-ubyte.gz": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    "train-labels-idx1-ubyte.gz": (
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    "t10k-images-idx3-ubyte.gz": (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
}


def load_dataset(name: str, validation_fraction: float, seed: int) -> Dataset:
    """Load a data set of the catalogue and split its training part.

    Args:
        name: A key of `DATASETS`.
        validation_fraction: Share of the training part that becomes the validation split, in (0, 1).
        seed: Seed of the split.

    Raises:
        DataError: Data that are missing, damaged or too few for the split.
    """
    return DATASETS[name](validation_fraction, seed)


def _mnist(validation_fraction: float, seed: int) -> Dataset:
    """60,000 + 10,000 handwritten digits of 28 x 28 pixels (LeCun, Cortes and Burges, 1998)."""
    arrays = {name: read_idx(_mnist_file(name), content) for name, (content, _) in MNIST_FILES.items()}
    images, labels, test_images, test_labels = arrays.values()
    train, validation = stratified(_image_split(images, labels), validation_fraction, seed)
    return Dataset(
        name="mnist",
        splits={"train": train, "validation": validation, "test": _image_split(test_images, test_labels)},
        target=Target("classification", class_names=tuple("0123456789")),
        feature_max=255.0,
        image_shape=(28, 28),
        source=MNIST_MIRRORS[0],
    )


def _mnist_file(name: str) -> Path:
    """The committed file; where there is none (an installed copy, a sparse clone), the downloaded one."""
    committed = MNIST_FOLDER / name
    if committed.exists():
        return committed
    return fetch(name, MNIST_MIRRORS, MNIST_FILES[name][1], cache_folder() / "mnist")


def _digits(validation_fraction: float, seed: int) -> Dataset:
    """1,797 handwritten digits of 8 x 8 pixels; a stratified fifth is the test split (Alpaydin and Kaynak, 1998)."""
    features, labels = load_digits(return_X_y=True)
    whole = Split(features.astype(np.uint8), labels.astype(np.int32))
    rest, test = stratified(whole, 1 / 5, seed=0)
    train, validation = stratified(rest, validation_fraction, seed)
    return Dataset(
        name="digits",
        splits={"train": train, "validation": validation, "test": test},
        target=Target("classification", class_names=tuple("0123456789")),
        feature_max=16.0,
        image_shape=(8, 8),
        source="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    )


def _image_split(images: np.ndarray, labels: np.ndarray) -> Split:
    # (n, height, width) -> (n, height * width)
    return Split(images.reshape(len(images), -1), labels.astype(np.int32))


DATASETS: dict[str, Callable[[float, int], Dataset]] = {"mnist": _mnist, "digits": _digits}
