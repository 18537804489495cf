"""Readers in parts of Parquet and Feather files, and of folders of Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from steps.datasets.parts import PART_ROWS, Part, numbered
from steps.datasets.sources.columnar import check_folder, names_of_folders, parquet_files
from steps.datasets.sources.damage import refusing_damage
from steps.datasets.sources.source import SourceError
from steps.datasets.sources.tables import check_names, tidy


class ParquetParts:
    """A Parquet file, or a folder of them with the columns encoded in its folder names (`year=2024`)."""

    has_decimal_commas = False

    def __init__(self, path: Path) -> None:
        self._files = [path]
        self._root = path
        if path.is_dir():
            check_folder(path)
            self._files = parquet_files(path)
            if not self._files:
                raise SourceError(f"must be a folder of Parquet files for this model, got {str(path)!r}")
        heads = [self._opened(file) for file in self._files]
        self.size = sum(head.metadata.num_rows for head in heads)
        with refusing_damage("an undamaged Parquet file", self._files[0]):
            first = heads[0].schema_arrow
        check_names(first.names, self._files[0])
        self.types = {field.name: field.type for field in first if field.name not in self._of_folders(self._files[0])}
        self.types |= dict.fromkeys(self._of_folders(self._files[0]), pa.string())

    def read(self, columns: list[str]) -> Iterator[Part]:
        return numbered(self._tables(columns))

    def _tables(self, columns: list[str]) -> Iterator[pa.Table]:
        for path in self._files:
            of_folders = self._of_folders(path)
            file = self._opened(path)
            in_file = set(file.schema_arrow.names)
            there = [name for name in columns if name in in_file]
            if missing := [name for name in columns if name not in {*there, *of_folders}]:
                raise SourceError(
                    f"must have the same columns in each file, got no column {missing[0]!r} in {str(path)!r}"
                )
            with refusing_damage("an undamaged Parquet file", path):
                for batch in file.iter_batches(PART_ROWS, columns=there):
                    batch.validate(full=True)
                    table = pa.Table.from_batches([batch])
                    for name, value in of_folders.items():
                        if name in columns and name not in there:
                            table = table.append_column(name, pa.array([value] * len(table), pa.string()))
                    if len(table):
                        yield tidy(table, path).table.select(columns)

    def _opened(self, path: Path) -> pq.ParquetFile:
        with refusing_damage("a Parquet file", path):
            return pq.ParquetFile(path)

    def _of_folders(self, path: Path) -> dict[str, str | None]:
        return names_of_folders(path.relative_to(self._root))


class FeatherParts:
    """A memory-mapped Feather file (Arrow's IPC file format)."""

    has_decimal_commas = False

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._opened() as reader, refusing_damage("an undamaged Feather file", path):
            self.types = {field.name: field.type for field in reader.schema}
            self.size = sum(reader.get_batch(i).num_rows for i in range(reader.num_record_batches))
            check_names(reader.schema.names, path)

    def read(self, columns: list[str]) -> Iterator[Part]:
        return numbered(self._tables(columns))

    def _tables(self, columns: list[str]) -> Iterator[pa.Table]:
        with self._opened() as reader:
            for i in range(reader.num_record_batches):
                with refusing_damage("an undamaged Feather file", self._path):
                    batch = reader.get_batch(i)
                    batch.validate(full=True)
                if batch.num_rows:
                    yield tidy(pa.Table.from_batches([batch]), self._path).table.select(columns)

    def _opened(self) -> pa.RecordBatchFileReader:
        with refusing_damage("a Feather file", self._path):
            return pa.ipc.open_file(pa.memory_map(str(self._path)))
