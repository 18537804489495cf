"""Readers of NumPy files as tables or images: `.npy`, and `.npz` with features and labels, or an array per column."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa

from steps.datasets.sources.source import Images, SourceError, Table
from steps.datasets.sources.tables import tidy

TARGET, SPLIT = "target", "split"
_PAIRS = (
    ("X", "y"),
    ("x", "y"),
    ("features", "labels"),
    ("features", "target"),
    ("data", "target"),
    ("images", "labels"),
)
_SPLIT_PAIRS = {"train": ("x_train", "y_train"), "validation": ("x_val", "y_val"), "test": ("x_test", "y_test")}
# What NumPy raises for a damaged file, depending on the position of the damage.
_UNREADABLE = (
    OSError, ValueError, TypeError, KeyError, EOFError, SyntaxError, RuntimeError, MemoryError, OverflowError,
    zipfile.BadZipFile, zlib.error, tokenize.TokenError,
)  # fmt: skip
_NAMES = ("feature_names", "columns")


def read_npy(path: Path) -> Table:
    """An array (n, n_columns) of numbers or words, or a structured one with a field per column.

    Raises:
        SourceError: Damaged, of Python objects, of another number of dimensions, or empty.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except _UNREADABLE as error:
        raise SourceError(f"must be an undamaged array without Python objects, got {str(path)!r} ({error})") from error
    if array.dtype.names is None and array.ndim != 2:
        raise SourceError(f"must be an array of rows and columns, got shape {array.shape} in {str(path)!r}")
    return tidy(pa.table(_columns(array, ())), path)


def read_npz(path: Path) -> Table | Images:
    """Arrays `X` and `y` (or `features` and `labels`), `x_train`, `y_train`, `x_test`, `y_test`, or one per column.

    Bytes (uint8) of shape (n, height, width) or (n, height, width, 3) are images; any other array is a table.

    Raises:
        SourceError: Damaged, of Python objects, of unequal lengths, or empty.
    """
    arrays = _load(path)
    given = {name.lower(): name for name in arrays}
    parts = {
        split: (arrays[given[x]], arrays[given[y]])
        for split, (x, y) in _SPLIT_PAIRS.items()
        if x in given and y in given
    }
    if not parts:
        pair = next((pair for pair in _PAIRS if pair[0] in arrays and pair[1] in arrays), None)
        if pair is None:
            return _of_columns(arrays, path)
        parts = {"": (arrays[pair[0]], arrays[pair[1]])}
    for features, labels in parts.values():
        if features.ndim < 2 or labels.shape not in ((len(features),), (len(features), 1)):
            raise SourceError(
                f"must hold rows with a label each, got shapes {features.shape} and {labels.shape} in {str(path)!r}"
            )
    shapes = {features.shape[1:] for features, _ in parts.values()}
    if len(shapes) > 1:
        raise SourceError(
            f"must hold rows of one shape in each split, got {' and '.join(map(str, shapes))} in {str(path)!r}"
        )
    features = np.concatenate([features for features, _ in parts.values()])
    labels = np.concatenate([labels.reshape(-1) for _, labels in parts.values()])
    splits = tuple(split for split, (_, labels) in parts.items() for _ in labels)
    if len(labels) == 0:
        raise SourceError(f"must be a file with rows, got {str(path)!r}, which is empty")
    if _are_images(features):
        return Images(_pixels(features), tuple(map(_text, labels.tolist())), splits if splits[0] else None)
    names = next((tuple(map(str, arrays[name])) for name in _NAMES if name in arrays), ())
    columns = _columns(features.reshape(len(features), -1), names)
    columns[TARGET] = _column(labels)
    if splits[0]:
        columns[SPLIT] = pa.array(splits)
    found = tidy(pa.table(columns), path)
    return Table(found.table, TARGET, SPLIT if splits[0] else "", found.notes)


def _load(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {}
            for name in archive.files:
                try:
                    arrays[name] = archive[name]
                except ValueError as error:
                    raise SourceError(
                        f"must hold arrays without Python objects, got {name!r} in {str(path)!r} ({error})"
                    ) from error
            return arrays
    except SourceError:
        raise
    except _UNREADABLE as error:
        raise SourceError(f"must be an undamaged .npz file, got {str(path)!r} ({error})") from error


def _of_columns(arrays: dict[str, np.ndarray], path: Path) -> Table:
    lengths = {array.shape for array in arrays.values()}
    if len(lengths) != 1 or len(next(iter(lengths))) != 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise SourceError(
            f"must hold the arrays X and y, or columns of one length, got {shapes or 'no array'} in {str(path)!r}"
        )
    return tidy(pa.table({name: _column(array) for name, array in arrays.items()}), path)


def _columns(array: np.ndarray, names: tuple[str, ...]) -> dict[str, pa.Array]:
    if array.dtype.names:
        return {name: _column(array[name]) for name in array.dtype.names}
    if len(names) != array.shape[1]:
        names = tuple(f"column_{i}" for i in range(array.shape[1]))
    return {name: _column(array[:, i]) for i, name in enumerate(names)}


def _column(array: np.ndarray) -> pa.Array:
    """Arrow takes arrays of this machine's byte order, and text as Python's."""
    if array.dtype.kind in "SU":
        return pa.array([_text(value) for value in array.tolist()])
    return pa.array(np.ascontiguousarray(array.reshape(-1).astype(array.dtype.newbyteorder("="))))


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _are_images(features: np.ndarray) -> bool:
    is_picture = features.ndim == 3 or (features.ndim == 4 and features.shape[-1] in (1, 3))
    return features.dtype == np.uint8 and is_picture


def _pixels(features: np.ndarray) -> np.ndarray:
    # (n, height, width, 1) -> (n, height, width)
    return features[..., 0] if features.shape[-1] == 1 and features.ndim == 4 else features
