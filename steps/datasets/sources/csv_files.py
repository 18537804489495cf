"""Reader of CSV files: Arrow reads all cells as text, on all processors; their types are inferred afterwards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from reprlib import repr as shortened

import pyarrow as pa
import pyarrow.compute as pcc
import pyarrow.csv as pc

from steps.datasets.sources.cells import trimmed_table, typed_table
from steps.datasets.sources.damage import quiet_callbacks
from steps.datasets.sources.decimal_comma import with_certain_commas
from steps.datasets.sources.dialect import ENCODINGS, Dialect, detect_dialect
from steps.datasets.sources.source import SourceError, Table
from steps.datasets.sources.tables import concatenated

CSV = (".csv", ".tsv", ".tab", ".txt", ".data")
_BLOCK = 8 << 20  # bytes; the longest row allowed
_WIDEST = 500  # columns, for a pattern that repeats them


@dataclass(frozen=True)
class TextTable:
    """The cells of a CSV file as trimmed text, null if missing."""

    table: pa.Table
    separator: str
    notes: tuple[str, ...]


def read_csv(path: Path) -> TextTable:
    """All cells of a CSV file, compressed or not.

    Raises:
        SourceError: The file is empty, damaged or not text, has no rows, a row with more or fewer cells than names, or
            two columns of the same name.
    """
    dialect = detect_dialect(path)
    for encoding in dialect.encodings:
        try:
            table = _read(path, replace(dialect, encoding=encoding))
        except UnicodeDecodeError as error:
            if encoding == dialect.encodings[-1]:
                raise SourceError(f"must be an undamaged file, got {str(path)!r} ({error})") from error
        else:
            break
    if table.num_rows == 0:
        raise SourceError(f"must be a file with rows, got {str(path)!r}, which has only a header")
    _check_quotes(table, dialect, path)
    notes = dialect.notes
    if encoding in ENCODINGS[1:]:
        notes = (*notes, "The text is not UTF-8; it was read as Latin-1.")
    return TextTable(_without_nameless(trimmed_table(table)), dialect.separator, notes)


def concatenated_csv(texts: Sequence[TextTable], files: Sequence[Path]) -> TextTable:
    """The cells of several files, concatenated; columns are matched by name.

    Raises:
        SourceError: The columns of a file differ from those of the first.
    """
    separator = next((text.separator for text in texts if text.separator != ","), ",")
    notes = tuple(dict.fromkeys(note for text in texts for note in text.notes))
    return TextTable(concatenated([text.table for text in texts], files), separator, notes)


def type_columns(text: TextTable) -> Table:
    """The table with inferred types."""
    if text.separator == ",":
        return Table(typed_table(text.table), notes=text.notes)
    table, names = with_certain_commas(text.table)
    said = [f"Numbers were read with decimal commas, as in 1.234,5, in {', '.join(names)}."] if names else []
    return Table(typed_table(table), notes=(*text.notes, *said))


def _read(path: Path, dialect: Dialect) -> pa.Table:
    """All cells as text.

    Raises:
        UnicodeDecodeError: The file has another encoding.
    """

    def refuse(row: pc.InvalidRow) -> str:
        return "error" if row.text.strip() else "skip"

    try:
        with quiet_callbacks() as failures, pa.input_stream(path, compression=dialect.compression) as stream:
            return pc.read_csv(
                stream,
                _read_options(dialect, use_threads=True),
                pc.ParseOptions(delimiter=dialect.separator, newlines_in_values=True, invalid_row_handler=refuse),
                pc.ConvertOptions(default_column_type=pa.string(), strings_can_be_null=False),
            )
    except pa.ArrowInvalid as error:
        if failures or "UTF8" in str(error):
            raise UnicodeDecodeError("utf-8", b"", 0, 0, str(error)) from error
        raise _malformed(path, dialect, error) from error
    except OSError as error:
        raise SourceError(f"must be an undamaged file, got {str(path)!r} ({error})") from error


def _malformed(path: Path, dialect: Dialect, error: Exception) -> SourceError:
    """The error that names the first row with a wrong number of cells; Arrow numbers rows only on one thread.

    Raises:
        UnicodeDecodeError: An earlier row has another encoding.
    """
    if "straddling" in str(error):
        reason = f"has a row of more than {_BLOCK:,} bytes: is a quote never closed?"
        return SourceError(f"must be a CSV file, got {str(path)!r}, which {reason}")
    found: list[str] = []
    n_blank = 0

    def note(row: pc.InvalidRow) -> str:
        nonlocal n_blank
        if not row.text.strip():
            n_blank += 1
        elif not found:
            number = row.number - dialect.rows_before - n_blank
            found.append(f"row {number} has {row.actual_columns} ({shortened(row.text)})")
        return "skip"

    try:
        with quiet_callbacks(), pa.input_stream(path, compression=dialect.compression) as stream:
            reader = pc.open_csv(
                stream,
                _read_options(dialect, use_threads=False),
                pc.ParseOptions(delimiter=dialect.separator, newlines_in_values=True, invalid_row_handler=note),
                pc.ConvertOptions(default_column_type=pa.string(), strings_can_be_null=False),
            )
            for _ in reader:
                if found:
                    break
    except pa.ArrowInvalid as earlier:
        raise UnicodeDecodeError("utf-8", b"", 0, 0, str(earlier)) from earlier
    if not found:
        return SourceError(f"must be a CSV file, got {str(path)!r} ({error})")
    return SourceError(f"must have {len(dialect.names)} cells in each row, got {str(path)!r}, where {found[0]}")


def _check_quotes(table: pa.Table, dialect: Dialect, path: Path) -> None:
    """Refuse a cell that has swallowed rows because its opening quote is closed only rows later, or never.

    Such a cell holds lines with as many separators as a row of the table; several such lines are unlikely in text.
    """
    between = table.num_columns - 1
    if not 1 <= between <= _WIDEST:
        return
    few = 2 if between > 1 else 20  # lines with one comma are common in text
    cell = f"[^{re.escape(dialect.separator)}\n]*"
    line = f"(?:{cell}{re.escape(dialect.separator)}){{{between}}}{cell}\n"
    for name, column in zip(table.column_names, table.columns, strict=True):
        with_lines = pcc.match_substring(column, "\n")
        swallowed = pcc.match_substring_regex(column.filter(with_lines), f"\n(?:{line}){{{few}}}")
        if pcc.any(swallowed).as_py():
            row = pcc.indices_nonzero(with_lines)[pcc.index(swallowed, True).as_py()].as_py() + 1
            raise SourceError(
                f"must be a CSV file with closed quotes, got {str(path)!r}, where a quote swallows rows "
                f"from row {row}, column {name!r}"
            )


def _read_options(dialect: Dialect, *, use_threads: bool) -> pc.ReadOptions:
    return pc.ReadOptions(
        use_threads=use_threads,
        block_size=_BLOCK,
        column_names=dialect.names,
        skip_rows_after_names=dialect.rows_before,
        encoding=dialect.encoding,
    )


def _without_nameless(table: pa.Table) -> pa.Table:
    """The table without columns that have neither name nor cells: the result of a separator at the end of each row."""
    keep = [
        i
        for i, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True))
        if name != f"column_{i}" or column.null_count < len(column)
    ]
    return table.select(keep)
