"""Reader of images, prepared like training images (`pictures`) and scaled to the model's range."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from steps.base.errors import InputError
from steps.base.paths import readable
from steps.datasets.interface import Interface
from steps.datasets.pictures import UNREADABLE, picture_suffixes, read_head, read_picture
from steps.datasets.rows import BadRow, Raw

_CHUNK_IMAGES = 512
_MEASURED = 100  # images
_NAMED = 3  # files named in one line


def is_images(given: str) -> bool:
    """Return whether the path is a folder, an image file or a glob."""
    path = Path(given)
    if path.is_dir() or path.suffix.lower() in picture_suffixes():
        return True
    return glob.has_magic(given) and not path.exists()


class ImageReader:
    """A folder of images (searched recursively), one image file or a glob; `position` counts files."""

    key = "file"

    def __init__(self, given: str, interface: Interface, *, invert: bool) -> None:
        if interface.image_shape is None:
            raise InputError(f"input must be a table for a model that takes no images, got {given!r}")
        self._root = Path(given) if Path(given).is_dir() else None
        found = sorted(path for path in (self._root.rglob("*") if self._root else _files(given)) if path.is_file())
        suffixes = picture_suffixes()
        self._files = [path for path in found if path.suffix.lower() in suffixes]
        self.left_out = _others(path for path in found if path.suffix.lower() not in suffixes)
        if not self._files:
            has_none = "which has none" if self._root or glob.has_magic(given) else "which does not exist"
            raise InputError(f"input must hold images (.png, .jpg, .bmp, …), got {given!r}, {has_none}")
        self._shape, self._largest, self._invert = interface.image_shape, interface.feature_max, invert
        self.size = len(self._files)
        self.columns = [str(i) for i in range(interface.n_features)]
        self.image_sizes: Sequence[tuple[int, int]] = list(_sizes(self._files[:_MEASURED]))

    def __iter__(self) -> Iterator[Raw]:
        for start in range(0, self.size, _CHUNK_IMAGES):
            names: list[str] = []
            images: list[np.ndarray] = []
            bad: list[BadRow] = []
            files = self._files[start : start + _CHUNK_IMAGES]
            for path in files:
                name = readable(str(path.relative_to(self._root) if self._root else path))
                try:
                    images.append(self._read(path))
                    names.append(name)
                except UNREADABLE as error:
                    bad.append(BadRow(name, f"not a readable image ({error})"))
            values = np.stack(images) if images else np.empty((0, len(self.columns)))
            yield Raw(names, values, None, start + len(files), bad)

    def _read(self, path: Path) -> np.ndarray:
        """(n_features,) integers in [0, feature_max], like the pixels that the model was trained on."""
        pixels = read_picture(path, self._shape).astype(np.float64)
        pixels = 255 - pixels if self._invert else pixels
        return np.rint(pixels / 255 * self._largest).reshape(-1)  # (height, width[, 3]) -> (n_features,)


def _others(files: Iterable[Path]) -> str:
    """A line about the files of other formats, without hidden ones."""
    names = [readable(path.name) for path in files if path.name[0] not in "._"]
    shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    return f"Left out, as not images: {len(names):,} ({shown})" if names else ""


def _sizes(files: Sequence[Path]) -> Iterator[tuple[int, int]]:
    """(height, width) of those that can be read."""
    for path in files:
        with suppress(*UNREADABLE):
            yield read_head(path).size


def _files(given: str) -> Iterator[Path]:
    """The file of this name if there is one, else the files that the pattern matches."""
    path = Path(given)
    return iter([path]) if path.exists() else map(Path, glob.iglob(given, recursive=True))  # noqa: PTH207
