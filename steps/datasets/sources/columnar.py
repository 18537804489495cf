"""Readers of Parquet and Feather files, and of Parquet folders as Spark, Dask and pandas write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from steps.datasets.sources.cells import typed
from steps.datasets.sources.source import SourceError, Table
from steps.datasets.sources.tables import concatenated, tidy

PARQUET = (".parquet", ".pq")
FEATHER = (".feather", ".arrow", ".ipc")
_HIVE_MISSING = "__HIVE_DEFAULT_PARTITION__"


def read_parquet(path: Path) -> pa.Table:
    """A Parquet file.

    Raises:
        SourceError: The file is damaged or not a Parquet file.
    """
    try:
        return _valid(pq.ParquetFile(path).read())
    except (pa.ArrowException, ValueError, OSError) as error:
        raise SourceError(f"must be a Parquet file, got {str(path)!r} ({error})") from error


def read_feather(path: Path) -> pa.Table:
    """A Feather file (Arrow's IPC file format).

    Raises:
        SourceError: The file is damaged or not a Feather file.
    """
    try:
        return _valid(feather.read_table(path))
    except (pa.ArrowException, ValueError, OSError) as error:
        raise SourceError(f"must be a Feather file, got {str(path)!r} ({error})") from error


def _valid(table: pa.Table) -> pa.Table:
    """The table, if its buffers match its types: Arrow does not check this itself, and would crash."""
    table.validate(full=True)
    return table


def parquet_files(folder: Path) -> list[Path]:
    """The Parquet files below a folder, except logs and markers (`_SUCCESS`, hidden files)."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in PARQUET and path.is_file())
    return sorted(path for path in found if not any(part[0] in "._" for part in path.relative_to(folder).parts))


def check_folder(folder: Path) -> None:
    """Raise `SourceError` for a Delta table: not all of its files are part of the table."""
    if (folder / "_delta_log").is_dir():
        raise SourceError(
            f"must be a folder of Parquet files, got the Delta table {str(folder)!r}; export it to Parquet"
        )


def read_parquet_folder(folder: Path, files: Sequence[Path]) -> Table:
    """The Parquet files of a folder, with the columns encoded in the names of its folders (`year=2024/month=01`).

    Raises:
        SourceError: A file is damaged or has other columns, or the folder is a Delta table, whose files are not all
            part of the table.
    """
    check_folder(folder)
    tables, of_folders = [], set()
    for path in files:
        table = read_parquet(path)
        for name, value in names_of_folders(path.relative_to(folder)).items():
            if name not in table.column_names:
                table = table.append_column(name, pa.array([value] * len(table), pa.string()))
                of_folders.add(name)
        tables.append(table)
    found = tidy(concatenated(tables, files), folder)
    typed_columns = [
        typed(column) if name in of_folders else column
        for name, column in zip(found.table.column_names, found.table.columns, strict=True)
    ]
    return Table(pa.table(typed_columns, names=found.table.column_names), notes=found.notes)


def names_of_folders(path: Path) -> dict[str, str | None]:
    """{"year": "2024"} of year=2024/part-0.parquet."""
    pairs = [part.partition("=") for part in path.parts[:-1]]
    return {name: None if value == _HIVE_MISSING else unquote(value) for name, equals, value in pairs if equals}
