"""Files of a folder of images, with class and split from the names of their folders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from steps.datasets.pictures import picture_suffixes
from steps.datasets.sources.naming import as_utf8
from steps.datasets.sources.source import SourceError

_SPLITS = {
    "train": "train", "training": "train", "validation": "validation", "valid": "validation", "val": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
_NAMED = 3  # files named in one line


@dataclass(frozen=True)
class ImageFile:
    """A file with the names of its class and its split; the latter is empty if the folder is not split."""

    path: Path
    label: str
    split: str


def find_images(folder: Path) -> tuple[list[ImageFile], list[Path]]:
    """The images below a folder with one folder per class, or with one per split that holds these.

    Returns:
        The images, ordered by path, and the files that are not images or not in a folder of a class.

    Raises:
        SourceError: No folder of a class holds an image, there is only one class, or a class has images in other splits
            but none in train.
    """
    outer = {path: _SPLITS.get(path.name.lower(), "") for path in _folders(folder)}
    is_split = "train" in outer.values() and all(outer.values())
    if is_split:
        classes = [(path, split) for parent, split in outer.items() for path in _folders(parent)]
    else:
        classes = [(path, "") for path in outer]
    inside = [ImageFile(path, as_utf8(of.name), split) for of, split in classes for path in _files(of.rglob("*"))]
    loose = [path for parent in (folder, *(outer if is_split else ())) for path in _files(parent.iterdir())]
    suffixes = picture_suffixes()
    images = [file for file in inside if file.path.suffix.lower() in suffixes]
    others = [file.path for file in inside if file.path.suffix.lower() not in suffixes]
    _check(images, folder, loose)
    return images, [*loose, *others]


def named(paths: Iterable[Path], folder: Path) -> str:
    """Names of the first few files, for a line of text."""
    names = [as_utf8(str(path.relative_to(folder))) for path in paths]
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")


def _check(images: list[ImageFile], folder: Path, loose: list[Path]) -> None:
    if not images:
        raise SourceError(
            f"must hold a folder of images per class, or Parquet files, got {str(folder)!r}, {_instead(folder, loose)}"
        )
    known = sorted({file.label for file in images if file.split in ("", "train")})
    if len(known) < 2:
        found = repr(known[0]) if known else "none"
        raise SourceError(f"must hold images of two classes or more, got {found} alone, in {str(folder)!r}")
    for file in images:
        if file.label not in known:
            raise SourceError(
                f"must have images of each class in the split train, got the class {file.label!r} only in "
                f"the split {file.split} of {str(folder)!r}"
            )


def _instead(folder: Path, loose: list[Path]) -> str:
    """Content of a folder that has no images in folders of classes, for the error."""
    images = [path for path in loose if path.suffix.lower() in picture_suffixes()]
    if images:
        return f"where {named(images, folder)} lie in no folder of a class"
    if any(path.suffix.lower() == ".csv" for path in loose):
        return f"which holds CSV files; give them as '{folder}/*.csv'"
    return "which holds neither"


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._")


def _files(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if path.is_file() and path.name[0] not in "._")
