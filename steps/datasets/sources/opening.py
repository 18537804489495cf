"""A source by what a person gave: a name, a file, a folder, or a glob."""

from __future__ import annotations

import glob
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from steps.base.errors import InputError
from steps.base.paths import expand_home
from steps.datasets.sources.arrays import read_npy, read_npz
from steps.datasets.sources.bundled import BUNDLED, load_bundled
from steps.datasets.sources.columnar import (
    PARQUET,
    parquet_files,
    read_feather,
    read_parquet,
    read_parquet_folder,
)
from steps.datasets.sources.csv_files import CSV, concatenated_csv, read_csv, type_columns
from steps.datasets.sources.digest import file_digest, files_digest, table_digest
from steps.datasets.sources.image_files import find_images
from steps.datasets.sources.image_folder import read_image_folder, resized
from steps.datasets.sources.naming import nearest, source_name, suffix
from steps.datasets.sources.source import Images, ImageSource, SourceError, Table, TableSource
from steps.datasets.sources.tables import concatenated, tidy

_FORMATS = (
    "a CSV, Parquet, Feather, .npz or .npy file, a folder of Parquet files or of images, a glob of files, or one of"
)
_FEATHER = (".feather", ".arrow", ".ipc")
_READERS: dict[str, Callable[[Path], Table | Images]] = {
    **dict.fromkeys(CSV, lambda path: type_columns(read_csv(path))),
    **dict.fromkeys(PARQUET, lambda path: tidy(read_parquet(path), path)),
    **dict.fromkeys(_FEATHER, lambda path: tidy(read_feather(path), path)),
    ".npz": read_npz,
    ".npy": read_npy,
}


def open_source(given: str, parameter: str = "dataset", image_shape: tuple[int, ...] = ()) -> TableSource | ImageSource:
    """Read the data that a person names.

    Args:
        given: A name of `BUNDLED`; the path of a file or a folder, absolute or from the working directory, with `~`
            for the home; or a glob of files with equal columns.
        parameter: Name of the parameter that this is the value of, for the error.
        image_shape: (height, width) of images, (height, width, 1) for grey ones, (height, width, 3) for ones in colour;
            empty if found. Tables have none.

    Raises:
        InputError: There is nothing of that name, or it cannot be read; one line that names file, row or column.
    """
    try:
        return _open(given, image_shape)
    except SourceError as error:
        raise InputError(f"{parameter} {error}") from error


def check_source(given: str, names: Collection[str] = (), parameter: str = "dataset") -> None:
    """Refuse, before anything runs, what is neither a name nor something that exists.

    Args:
        names: Of data sets beside `BUNDLED`.

    Raises:
        InputError: With the most similar name.
    """
    if given in BUNDLED or given in names or glob.has_magic(given) or (given and Path(expand_home(given)).exists()):
        return
    raise InputError(f"{parameter} {_unknown(given, names)}")


def _unknown(given: str, names: Collection[str] = ()) -> str:
    known = sorted((*BUNDLED, *names))
    return f"must be {_FORMATS} {', '.join(known)}; got {given!r}, which does not exist{nearest(Path(given), known)}"


def _open(given: str, image_shape: tuple[int, ...]) -> TableSource | ImageSource:
    if given in BUNDLED:
        table = load_bundled(given)
        return _source(table, given, f"scikit-learn, {given}", table_digest(table.table))
    path = Path(expand_home(given))
    if given and path.is_dir():
        return _open_folder(path.absolute(), image_shape)
    if path.is_file():
        return _open_file(path.absolute(), image_shape)
    if glob.has_magic(given):
        return _open_glob(path.absolute(), image_shape)
    raise SourceError(_unknown(given))


def _open_file(path: Path, image_shape: tuple[int, ...]) -> TableSource | ImageSource:
    reader = _READERS.get(suffix(path))
    if reader is None:
        raise SourceError(f"must be {_FORMATS} {', '.join(BUNDLED)}; got {str(path)!r}, a file of another format")
    contents = reader(path)
    if isinstance(contents, Images) and image_shape:
        contents = resized(contents, image_shape)
    return _source(contents, source_name(path.name), str(path), file_digest(path))


def _open_folder(folder: Path, image_shape: tuple[int, ...]) -> TableSource | ImageSource:
    files = parquet_files(folder)
    contents: Table | Images
    if files:
        contents = read_parquet_folder(folder, files)
    else:
        contents = read_image_folder(folder, image_shape)
        files = [file.path for file in find_images(folder)[0]]
    return _source(contents, source_name(folder.name), str(folder), files_digest(files, folder))


def _open_glob(pattern: Path, image_shape: tuple[int, ...]) -> TableSource | ImageSource:
    files = sorted(path for path in map(Path, glob.iglob(str(pattern), recursive=True)) if path.is_file())  # noqa: PTH207
    if not files:
        raise SourceError(f"must match files that exist, got {str(pattern)!r}, which matches none")
    if len(files) == 1:
        return _open_file(files[0], image_shape)
    table = _read_all(files, pattern)
    notes = (*table.notes, f"{len(files):,} files were read, one below the other.")
    root = next(parent for parent in pattern.parents if not glob.has_magic(str(parent)))
    name = source_name(pattern.name.replace("*", " "))
    return _source(Table(table.table, notes=notes), name, str(pattern), files_digest(files, root))


def _read_all(files: Sequence[Path], pattern: Path) -> Table:
    suffixes = {suffix(path) for path in files}
    if suffixes <= set(CSV):
        return type_columns(concatenated_csv([read_csv(path) for path in files], files))
    if suffixes <= {*PARQUET, *_FEATHER}:
        tables = [read_parquet(path) if suffix(path) in PARQUET else read_feather(path) for path in files]
        return tidy(concatenated(tables, files), pattern)
    raise SourceError(f"must match files of one format, CSV, Parquet or Feather, got {str(pattern)!r}")


def _source(contents: Table | Images, name: str, source: str, sha256: str) -> TableSource | ImageSource:
    if isinstance(contents, Images):
        images, labels, splits, notes = contents.images, contents.labels, contents.splits, contents.notes
        return ImageSource(images, labels, splits, name, source, sha256, notes)
    return TableSource(contents.table, name, source, sha256, contents.target, contents.split, contents.notes)
