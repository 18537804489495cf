"""Images by name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from steps.base.files import array_digest, made_cache_folder
from steps.datasets.fetch import fetch
from steps.datasets.idx import read_idx
from steps.datasets.sources.source import ImageSource

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


def _mnist() -> ImageSource:
    """60,000 + 10,000 handwritten digits of 28 x 28 pixels (LeCun, Cortes and Burges, 1998)."""
    arrays = {name: read_idx(_mnist_file(name), content) for name, (content, _) in MNIST_FILES.items()}
    images, labels, test_images, test_labels = arrays.values()
    return ImageSource(
        images=np.concatenate([images, test_images]),
        labels=tuple(map(str, np.concatenate([labels, test_labels]).tolist())),
        splits=("train",) * len(images) + ("test",) * len(test_images),
        name="mnist",
        source=MNIST_MIRRORS[0],
        sha256=hashlib.sha256("".join(content for content, _ in MNIST_FILES.values()).encode()).hexdigest(),
    )


def _mnist_file(name: str) -> Path:
    """The committed file, or the downloaded one if there is none (an installed copy, a sparse clone)."""
    committed = MNIST_FOLDER / name
    if committed.exists():
        return committed
    return fetch(name, MNIST_MIRRORS, MNIST_FILES[name][1], made_cache_folder() / "mnist")


def _digits() -> ImageSource:
    """1,797 handwritten digits of 8 x 8 pixels in 17 shades (Alpaydin and Kaynak, 1998)."""
    from sklearn.datasets import load_digits  # late: most data sets do not need it

    data = load_digits()
    return ImageSource(
        images=data.images.astype(np.uint8),
        labels=tuple(map(str, data.target.tolist())),
        splits=None,
        name="digits",
        source="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
        sha256=array_digest((data.images, data.target)),
        brightest=16,
    )


IMAGES: dict[str, Callable[[], ImageSource]] = {"mnist": _mnist, "digits": _digits}
