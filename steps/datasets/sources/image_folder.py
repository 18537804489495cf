"""Reader of a folder of images: all in one shape, and in colour if one of them shows any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
import pyarrow as pa
from PIL import Image

from steps.datasets.pictures import UNREADABLE, PictureHead, fitted, read_head, read_picture, shows_colour
from steps.datasets.sources.image_files import find_images, named
from steps.datasets.sources.progress import progress
from steps.datasets.sources.source import Images, SourceError

_LARGEST = 64  # pixels per side, unless a shape is given

Result = TypeVar("Result")


def read_image_folder(folder: Path, shape: tuple[int, ...] = ()) -> Images:
    """All images below a folder with one folder per class, or with one per split that holds these.

    Args:
        shape: (height, width) of the result; (height, width, 1) forces grey, (height, width, 3) colour. If empty,
            images of one size keep it or shrink to 64 pixels per side; others become squares of at most 64 pixels per
            side.

    Raises:
        SourceError: An image cannot be read, or there are no images, or all have the same class.
    """
    files, others = find_images(folder)
    paths = [file.path for file in files]
    heads = list(_each(read_head, paths, folder, "Looking at images"))
    size = (shape[0], shape[1]) if shape else _common_size([head.size for head in heads])
    n_channels = shape[2] if len(shape) == 3 else _n_channels(paths, heads, size)
    inner = size if n_channels == 1 else (*size, n_channels)
    images = np.empty((len(paths), *inner), np.uint8)
    for i, pixels in enumerate(_each(partial(read_picture, shape=inner), paths, folder, "Reading images")):
        images[i] = pixels
    splits = tuple(file.split for file in files) if files[0].split else None
    notes = _notes(heads, inner, n_channels) + _left_out(others, folder)
    return Images(images, tuple(file.label for file in files), splits, notes)


def resized(found: Images, shape: tuple[int, ...]) -> Images:
    """Images in another shape, with their proportions kept; grey or colour according to the shape."""
    images = found.images
    if len(shape) == 3 and shape[2] == 1 and images.ndim == 4:
        images = np.stack([np.asarray(Image.fromarray(pixels).convert("L")) for pixels in images])
    if len(shape) == 3 and shape[2] == 3 and images.ndim == 3:
        images = np.stack([images] * 3, -1)
    size = (shape[0], shape[1])
    if size == images.shape[1:3]:
        return replace(found, images=images)
    fitting = np.stack([fitted(pixels, size) for pixels in images])
    return replace(found, images=fitting, notes=(*found.notes, _resized_note(_size(images.shape[1:]), size)))


def _each(read: Callable[[Path], Result], paths: Sequence[Path], folder: Path, what: str) -> Iterator[Result]:
    """Results for all files, in order; one error at the end names all files that cannot be read."""

    def attempt(path: Path) -> Result | Exception:
        try:
            return read(path)
        except UNREADABLE as error:
            return error

    bad: dict[Path, Exception] = {}
    with progress(what, len(paths)) as advance, ThreadPoolExecutor(pa.cpu_count()) as pool:
        for path, result in zip(paths, pool.map(attempt, paths), strict=True):
            advance(1)
            if isinstance(result, Exception):
                bad[path] = result
            else:
                yield result
    if bad:
        reason = str(next(iter(bad.values()))).replace(str(folder), folder.name)
        raise SourceError(
            f"must hold images that can be read, got {len(bad):,} in {str(folder)!r} that cannot: "
            f"{named(bad, folder)} ({reason}); repair or remove them"
        )


def _common_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Common (height, width) of all images."""
    if len(set(sizes)) > 1:
        side = min(_LARGEST, round(median(max(size) for size in sizes)))
        return side, side
    height, width = sizes[0]
    scale = min(1.0, _LARGEST / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _n_channels(paths: Sequence[Path], heads: Sequence[PictureHead], size: tuple[int, int]) -> int:
    """Number of channels: 3 if an image shows colour, else 1."""
    for path, head in zip(paths, heads, strict=True):
        if not head.is_grey:
            with suppress(*UNREADABLE):  # reported when all images have been read
                if shows_colour(read_picture(path, (*size, 3))):
                    return 3
    return 1


def _notes(heads: Sequence[PictureHead], shape: Sequence[int], n_channels: int) -> tuple[str, ...]:
    """Notes on the changes made to the images."""
    sizes = Counter(head.size for head in heads)
    notes = []
    if list(sizes) != [shape[:2]]:
        smallest, largest = min(sizes), max(sizes)
        had = (
            f"of {_size(smallest)}"
            if len(sizes) == 1
            else f"of {len(sizes):,} sizes, {_size(smallest)} to {_size(largest)},"
        )
        notes.append(f"Images {had} became {_size(shape)} pixels (height x width), with their proportions kept.")
    if n_channels == 1 and not all(head.is_grey for head in heads):
        notes.append("The images were read as grey.")
    for count, what in (
        (sum(head.is_turned for head in heads), "turned upright by EXIF data"),
        (sum(head.is_transparent for head in heads), "put on white where transparent, or on black if they are light"),
        (sum(head.is_animated for head in heads), "reduced to their first frame"),
    ):
        if count:
            notes.append(f"{count:,} {'image was' if count == 1 else 'images were'} {what}.")
    return tuple(notes)


def _left_out(others: Sequence[Path], folder: Path) -> tuple[str, ...]:
    if not others:
        return ()
    what = (
        "file that is no image, or in no folder of a class, was"
        if len(others) == 1
        else ("files that are no images, or in no folder of a class, were")
    )
    return (f"{len(others):,} {what} left out: {named(others, folder)}.",)


def _resized_note(had: str, shape: Sequence[int]) -> str:
    return f"Images of {had} became {_size(shape)} pixels (height x width), with their proportions kept."


def _size(shape: Sequence[int]) -> str:
    return f"{shape[0]} x {shape[1]}"
