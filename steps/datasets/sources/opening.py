"""The source for a parameter's value: a name, a file, a folder, or a glob."""

from __future__ import annotations

import glob
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from steps.base.errors import InputError
from steps.base.files import file_digest
from steps.base.paths import expand_home
from steps.datasets.sources.address import check_address, download, is_address
from steps.datasets.sources.arrays import read_npy, read_npz
from steps.datasets.sources.bundled import BUNDLED, load_bundled
from steps.datasets.sources.columnar import (
    FEATHER,
    PARQUET,
    parquet_files,
    read_feather,
    read_parquet,
    read_parquet_folder,
)
from steps.datasets.sources.csv_files import CSV, concatenated_csv, read_csv, type_columns
from steps.datasets.sources.digest import files_digest, table_digest
from steps.datasets.sources.image_files import find_images
from steps.datasets.sources.image_folder import read_image_folder, resized
from steps.datasets.sources.naming import as_utf8, nearest, source_name, suffix
from steps.datasets.sources.openml import PREFIX, openml_number, read_openml
from steps.datasets.sources.source import Images, ImageSource, SourceError, Table, TableSource
from steps.datasets.sources.tables import concatenated, tidy

_FORMATS = (
    "a CSV, Parquet, Feather, .npz or .npy file, a folder of Parquet files or of images, a glob of files, "
    "openml:<id>, an address, or one of"
)
_LONGEST_LINE = 700  # characters
_READERS: dict[str, Callable[[Path], Table | Images]] = {
    **dict.fromkeys(CSV, lambda path: type_columns(read_csv(path))),
    **dict.fromkeys(PARQUET, lambda path: tidy(read_parquet(path), path)),
    **dict.fromkeys(FEATHER, lambda path: tidy(read_feather(path), path)),
    ".npz": read_npz,
    ".npy": read_npy,
}


def open_source(given: str, parameter: str = "dataset", image_shape: tuple[int, ...] = ()) -> TableSource | ImageSource:
    """Read data.

    Args:
        given: A name in `BUNDLED`; `openml:` and a number; an https:// or http:// address; the path of a file or
            folder, absolute or relative to the working directory, with `~` for the home directory; or a glob of files
            with equal columns.
        parameter: Name of the parameter, for the error.
        image_shape: (height, width) of images; (height, width, 1) forces grey, (height, width, 3) colour. Empty to
            infer it; tables have none.

    Raises:
        InputError: Nothing has that name, or it cannot be read; one line that names file, row or column.
        DataError: A server does not answer.
    """
    try:
        return _open(given, image_shape)
    except SourceError as error:
        raise InputError(f"{parameter} {_one_line(error)}") from error


def check_source(given: str, names: Collection[str] = (), parameter: str = "dataset") -> None:
    """Refuse unknown names, missing paths and files of an unknown format before anything runs.

    Args:
        names: Names of data sets besides `BUNDLED`.

    Raises:
        InputError: The value is one of these; the message suggests the most similar name.
    """
    try:
        _check(given, names)
    except SourceError as error:
        raise InputError(f"{parameter} {_one_line(error)}") from error


def _check(given: str, names: Collection[str] = ()) -> None:
    if given in (*BUNDLED, *names):
        return
    if given.startswith(PREFIX):
        openml_number(given)
        return
    if "://" in given:
        check_address(given)
        return
    path, known = Path(expand_home(given)), sorted((*BUNDLED, *names))
    formats = f"must be {_FORMATS} {', '.join(known)}; got {given!r}"
    if given and path.exists():
        if path.is_file() and suffix(path) not in _READERS:
            raise SourceError(f"{formats}, a file of another format")
    elif not glob.has_magic(given):
        raise SourceError(f"{formats}, which does not exist{nearest(path, known)}")
    elif not glob.glob(str(path), recursive=True):  # noqa: PTH207
        raise SourceError(f"must match files that exist, got {given!r}, which matches none")


def _open(given: str, image_shape: tuple[int, ...]) -> TableSource | ImageSource:
    _check(given)
    if given in BUNDLED:
        table = load_bundled(given)
        return _source(table, given, f"scikit-learn, {given}", table_digest(table.table))
    if given.startswith(PREFIX):
        table, name = read_openml(given)
        source = f"OpenML, {given.removeprefix(PREFIX)} ({name})"
        return _source(table, source_name(name), source, table_digest(table.table))
    if is_address(given):
        return _open_address(given, image_shape)
    path = Path(expand_home(given)).absolute()
    if path.is_dir():
        return _open_folder(path, image_shape)
    return _open_file(path, image_shape) if path.is_file() else _open_glob(path, image_shape)


def _open_file(path: Path, image_shape: tuple[int, ...]) -> TableSource | ImageSource:
    contents = _READERS[suffix(path)](path)
    if isinstance(contents, Images) and image_shape:
        contents = resized(contents, image_shape)
    return _source(contents, source_name(path.name), as_utf8(str(path)), file_digest(path))


def _open_address(address: str, image_shape: tuple[int, ...]) -> TableSource | ImageSource:
    path = download(address, tuple(_READERS))
    try:
        found = _open_file(path, image_shape)
    except SourceError as error:
        raise SourceError(str(error).replace(str(path), address)) from error
    note = f"The file was downloaded to {path.parent}; delete that folder to download it again."
    return replace(found, source=address, notes=(*found.notes, note))


def _open_folder(folder: Path, image_shape: tuple[int, ...]) -> TableSource | ImageSource:
    files = parquet_files(folder)
    contents: Table | Images
    if files:
        contents = read_parquet_folder(folder, files)
    else:
        contents = read_image_folder(folder, image_shape)
        files = [file.path for file in find_images(folder)[0]]
    return _source(contents, source_name(folder.name), as_utf8(str(folder)), files_digest(files, folder))


def _open_glob(pattern: Path, image_shape: tuple[int, ...]) -> TableSource | ImageSource:
    files = sorted(path for path in map(Path, glob.iglob(str(pattern), recursive=True)) if path.is_file())  # noqa: PTH207
    for path in files:
        _check(str(path))
    if len(files) == 1:
        return _open_file(files[0], image_shape)
    table = _read_all(files, pattern)
    notes = (*table.notes, f"{len(files):,} files were read and concatenated.")
    root = next(parent for parent in pattern.parents if not glob.has_magic(str(parent)))
    name = source_name(pattern.name.replace("*", " "))
    return _source(Table(table.table, notes=notes), name, as_utf8(str(pattern)), files_digest(files, root))


def _read_all(files: Sequence[Path], pattern: Path) -> Table:
    suffixes = {suffix(path) for path in files}
    if suffixes <= set(CSV):
        return type_columns(concatenated_csv([read_csv(path) for path in files], files))
    if suffixes <= {*PARQUET, *FEATHER}:
        tables = [read_parquet(path) if suffix(path) in PARQUET else read_feather(path) for path in files]
        return tidy(concatenated(tables, files), pattern)
    raise SourceError(f"must match files of one format, CSV, Parquet or Feather, got {str(pattern)!r}")


def _one_line(error: SourceError) -> str:
    """The message in one line; a library's text about a damaged file may have several, and quote the file."""
    text = " ".join(str(error).split())
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]} …"


def _source(contents: Table | Images, name: str, source: str, sha256: str) -> TableSource | ImageSource:
    if isinstance(contents, Images):
        images, labels, splits, notes = contents.images, contents.labels, contents.splits, contents.notes
        return ImageSource(images, labels, splits, name, source, sha256, notes)
    return TableSource(contents.table, name, source, sha256, contents.target, contents.split, contents.notes)
