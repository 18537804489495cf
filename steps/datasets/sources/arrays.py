"""Readers of NumPy files as tables or images: `.npy`, and `.npz` with features and labels, or an array per column."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from steps.datasets.sources.damage import UNREADABLE, one_line
from steps.datasets.sources.source import Images, SourceError, Table
from steps.datasets.sources.tables import tidy

TARGET, SPLIT = "target", "split"
PAIRS = (
    ("X", "y"), ("x", "y"), ("features", "labels"), ("features", "target"), ("data", "target"), ("images", "labels"),
    ("arr_0", "arr_1"),
)  # fmt: skip
_SPLIT_PAIRS = {"train": ("x_train", "y_train"), "validation": ("x_val", "y_val"), "test": ("x_test", "y_test")}
NAMES = ("feature_names", "columns")
_KINDS = "biufSUMm"  # Booleans, numbers, words, dates and durations


@dataclass(frozen=True)
class _Part:
    """Rows of one split with one label each; the name of the split is empty if the file is not split."""

    split: str
    features: np.ndarray
    labels: np.ndarray


def read_npy(path: Path) -> Table:
    """A table from an array (n, n_columns) of numbers or words, or from a structured array with a field per column.

    Raises:
        SourceError: The array is damaged or empty, holds Python objects, or has another number of dimensions.
    """
    return _matrix(map_array(path, path), path)


def map_array(file: Path, path: Path) -> np.ndarray:
    """The array of a `.npy` file, memory-mapped.

    Args:
        path: Origin of the file, for the error.

    Raises:
        SourceError: The file is damaged or holds Python objects.
    """
    try:
        with file.open("rb") as opened:
            np.lib.format.read_magic(opened)  # the next line takes any other file for a pickle
        array: np.ndarray = np.load(file, mmap_mode="r", allow_pickle=False)
    except UNREADABLE as error:
        raise SourceError(
            f"must be an undamaged array without Python objects, got {str(path)!r} ({one_line(error)})"
        ) from error
    return array


def read_npz(path: Path) -> Table | Images:
    """Arrays `X` and `y` (or `features` and `labels`), `x_train`, `y_train`, `x_test` and `y_test`, or one per column.

    Bytes (uint8) of shape (n, height, width) or (n, height, width, 3) are images; any other array is a table.

    Raises:
        SourceError: An array is damaged or empty, or holds Python objects, or the arrays differ in length.
    """
    return of_arrays(_load(path), path)


def of_arrays(arrays: dict[str, np.ndarray], path: Path) -> Table | Images:
    """Table or images from the arrays of a file; see `read_npz`."""
    parts = _parts(arrays)
    if not parts:
        return _of_columns(arrays, path)
    _check(parts, path)
    features = np.concatenate([part.features for part in parts])
    labels = np.concatenate([part.labels.reshape(-1) for part in parts])
    splits = tuple(part.split for part in parts for _ in part.labels) if parts[0].split else None
    if _are_images(features):
        return Images(_pixels(features), _class_names(labels, path), splits)
    columns = _columns(features.reshape(len(features), -1), _stated(arrays), path)
    columns.append((TARGET, _column(labels, TARGET, path)))
    if splits:
        columns.append((SPLIT, pa.array(splits)))
    found = _table(columns, path)
    return Table(found.table, TARGET, SPLIT if splits else "", found.notes)


def _load(path: Path) -> dict[str, np.ndarray]:
    if not zipfile.is_zipfile(path):
        raise SourceError(f"must be an undamaged .npz file, got {str(path)!r}, which is no archive")
    arrays, name = {}, ""
    try:
        with np.load(path, allow_pickle=False) as archive:
            for name in archive.files:
                arrays[name] = archive[name]
    except UNREADABLE as error:
        where = f"the array {name!r} of " if name else ""
        raise SourceError(
            f"must be an undamaged .npz file without Python objects, got {where}{str(path)!r} ({one_line(error)})"
        ) from error
    return arrays


def _parts(arrays: dict[str, np.ndarray]) -> list[_Part]:
    """Rows with their labels; empty if the arrays have other names."""
    given = {name.lower(): array for name, array in arrays.items()}
    parts = [_Part(split, given[x], given[y]) for split, (x, y) in _SPLIT_PAIRS.items() if x in given and y in given]
    return parts or [_Part("", arrays[x], arrays[y]) for x, y in PAIRS if x in arrays and y in arrays][:1]


def _check(parts: list[_Part], path: Path) -> None:
    for part in parts:
        n_rows = len(part.features) if part.features.ndim else 0
        if part.features.ndim < 2 or part.labels.shape not in ((n_rows,), (n_rows, 1)):
            shapes = f"{part.features.shape} and {part.labels.shape}"
            raise SourceError(f"must hold rows with a label each, got shapes {shapes} in {str(path)!r}")
    shapes = " and ".join(sorted({str(part.features.shape[1:]) for part in parts}))
    if " and " in shapes:
        raise SourceError(f"must hold rows of one shape in each split, got {shapes} in {str(path)!r}")
    if not sum(len(part.labels) for part in parts):
        raise SourceError(f"must be a file with rows, got {str(path)!r}, which is empty")


def _of_columns(arrays: dict[str, np.ndarray], path: Path) -> Table:
    """A table of one array with rows and columns, or of an array per column."""
    others = [array for name, array in arrays.items() if name not in NAMES]
    if len(others) == 1 and (others[0].ndim == 2 or others[0].dtype.names):
        return _table(_columns(others[0], _stated(arrays), path), path)
    lengths = {array.shape for array in arrays.values()}
    if len(lengths) != 1 or len(next(iter(lengths))) != 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise SourceError(
            f"must hold the arrays X and y, or columns of one length, got {shapes or 'no array'} in {str(path)!r}"
        )
    return _table([(name, _column(array, name, path)) for name, array in arrays.items()], path)


def _stated(arrays: dict[str, np.ndarray]) -> tuple[str, ...]:
    """Names of the columns stored beside them in the file; empty if there are none."""
    stated = next((arrays[name] for name in NAMES if name in arrays), np.empty(0))
    return tuple(map(str, stated.tolist()))


def _matrix(array: np.ndarray, path: Path) -> Table:
    if array.ndim != (1 if array.dtype.names else 2):
        raise SourceError(f"must be an array of rows and columns, got shape {array.shape} in {str(path)!r}")
    return _table(_columns(array, (), path), path)


def _table(columns: list[tuple[str, pa.Array]], path: Path) -> Table:
    return tidy(pa.table([column for _, column in columns], names=[name for name, _ in columns]), path)


def _columns(array: np.ndarray, names: tuple[str, ...], path: Path) -> list[tuple[str, pa.Array]]:
    if array.dtype.names:
        return [(name, _column(array[name], name, path)) for name in array.dtype.names]
    if len(names) != array.shape[1]:
        names = tuple(f"column_{i}" for i in range(array.shape[1]))
    return [(name, _column(array[:, i], name, path)) for i, name in enumerate(names)]


def _column(array: np.ndarray, name: str, path: Path) -> pa.Array:
    """An Arrow column; Arrow takes native byte order and Python strings only."""
    if array.ndim != 1 or array.dtype.kind not in _KINDS:
        found = f"{array.dtype} of shape {array.shape[1:]}" if array.ndim > 1 else str(array.dtype)
        raise SourceError(f"must hold numbers, words or dates, got {found} in the column {name!r} of {str(path)!r}")
    if array.dtype.kind in "SU":
        return pa.array([_text(value) for value in array.tolist()])
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    if array.dtype.kind in "Mm" and np.datetime_data(array.dtype)[0] not in ("D", "s", "ms", "us", "ns"):
        array = array.astype(f"{array.dtype.kind}8[s]")
    return pa.array(np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="))))


def _class_names(labels: np.ndarray, path: Path) -> tuple[str, ...]:
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise SourceError(f"must hold a label for each image, got {labels[~np.isfinite(labels)][0]} in {str(path)!r}")
    return tuple(map(_text, labels.tolist()))


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _are_images(features: np.ndarray) -> bool:
    is_picture = features.ndim == 3 or (features.ndim == 4 and features.shape[-1] in (1, 3))
    return features.dtype == np.uint8 and is_picture


def _pixels(features: np.ndarray) -> np.ndarray:
    # (n, height, width, 1) -> (n, height, width)
    return features[..., 0] if features.shape[-1] == 1 and features.ndim == 4 else features
