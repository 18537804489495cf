"""Opening of a table that is read in parts, whatever its format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from steps.base.errors import InputError
from steps.datasets.input_columnar import FeatherParts, ParquetParts
from steps.datasets.input_csv import CsvParts
from steps.datasets.input_numpy import ArrayParts
from steps.datasets.parts import Parts
from steps.datasets.sources.columnar import FEATHER, PARQUET
from steps.datasets.sources.csv_files import CSV
from steps.datasets.sources.naming import nearest, suffix

_READERS: dict[str, Callable[[Path], Parts]] = {
    **dict.fromkeys(CSV, CsvParts),
    **dict.fromkeys(PARQUET, ParquetParts),
    **dict.fromkeys(FEATHER, FeatherParts),
    **dict.fromkeys((".npz", ".npy"), ArrayParts),
}


def open_parts(given: str, parameter: str = "input") -> Parts:
    """A file, or a folder of Parquet files.

    Args:
        parameter: The parameter that names it, for messages.

    Raises:
        InputError: The input is missing, or of another format.
        SourceError: It is damaged.
    """
    path = Path(given)
    if not (path.is_file() or path.is_dir()):  # a named pipe may never have anything to read
        raise InputError(f"{parameter} must be a file that exists, got {given!r}{nearest(path, ())}")
    reader = ParquetParts if path.is_dir() else _READERS.get(suffix(path))
    if reader is None:
        raise InputError(
            f"{parameter} must be a CSV, Parquet, Feather, .npz or .npy file, a folder of Parquet files, "
            f"or images for a model of images, got {given!r}"
        )
    return reader(path)
