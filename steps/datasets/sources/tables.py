"""Arrow tables: concatenation, and reduction to a few types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from steps.datasets.sources.cells import trimmed_table
from steps.datasets.sources.source import SourceError, Table

PANDAS_INDEX = "__index_level_0__"  # an index without a name


def concatenated(tables: Sequence[pa.Table], files: Sequence[Path]) -> pa.Table:
    """The tables concatenated; columns are matched by name, in the order of the first table.

    Raises:
        SourceError: A table has other columns, or the type of a column is incompatible with the first table's.
    """
    first = tables[0]
    for table, path in zip(tables, files, strict=True):
        check_names(table.column_names, path)
        for column in (*first.column_names, *table.column_names):
            if (column in table.column_names) != (column in first.column_names):
                without = files[0] if column in table.column_names else path
                raise SourceError(
                    f"must have the same columns in each file, got no column {column!r} in {str(without)!r}"
                )
        for field in table.schema:
            try:
                pa.unify_schemas(
                    [pa.schema([first.schema.field(field.name)]), pa.schema([field])], promote_options="permissive"
                )
            except pa.ArrowException as error:
                types = f"{first.schema.field(field.name).type} and {field.type}"
                raise SourceError(
                    f"must have columns of one type, got {types} in column {field.name!r} "
                    f"of {str(files[0])!r} and {str(path)!r}"
                ) from error
    ordered = [table.select(first.column_names) for table in tables]
    return pa.concat_tables(ordered, promote_options="permissive")


def check_names(names: Sequence[str], path: Path) -> None:
    """Raise `SourceError` if two columns have the same name."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise SourceError(
            f"must have columns of different names, got {', '.join(map(repr, twice[:5]))} more than once "
            f"in {str(path)!r}; rename one"
        )


def tidy(table: pa.Table, path: Path) -> Table:
    """The table reduced to a few Arrow types, with null for all missing cells.

    Text of any kind becomes string, decimals become numbers, and categories become text even if they are numbers: they
    were meant as words.

    Raises:
        SourceError: Two columns have the same name, or there are no rows.
    """
    check_names(table.column_names, path)
    if table.num_rows == 0 or table.num_columns == 0:
        raise SourceError(f"must be a file with rows, got {str(path)!r}, which is empty")
    notes: tuple[str, ...] = ()
    if PANDAS_INDEX in table.column_names:
        table = table.drop_columns([PANDAS_INDEX])
        notes = ("The pandas index is left out.",)
    categories = _categories_of_pandas(table.schema)
    columns = [
        column.cast(pa.string() if name in categories else _plain(column.type))
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]
    return Table(trimmed_table(pa.table(columns, names=table.column_names)), notes=notes)


def _categories_of_pandas(schema: pa.Schema) -> set[str]:
    """Categorical columns whose values are not words; Parquet keeps them as plain numbers."""
    try:
        described = (schema.pandas_metadata or {}).get("columns", [])
        names = {column["name"] for column in described if column["pandas_type"] == "categorical"}
    except (ValueError, TypeError, KeyError, AttributeError):  # metadata of another program, or damaged
        return set()
    return {name for name in names & set(schema.names) if pa.types.is_integer(schema.field(name).type)}


def _plain(type_: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(type_):
        return pa.string() if pa.types.is_integer(type_.value_type) else _plain(type_.value_type)
    if pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return pa.string()
    if pa.types.is_decimal(type_):
        return pa.float64()
    return type_
