"""CSV files of all programs, as typed tables."""

from __future__ import annotations

import bz2
import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from steps.base.errors import InputError
from steps.datasets.sources import TableSource, open_source
from steps.datasets.tabular.inference import infer
from steps.datasets.tabular.values import canonical


def read(folder: Path, content: str | bytes, name: str = "rows.csv") -> TableSource:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    source = open_source(str(path))
    assert isinstance(source, TableSource)
    return source


def columns(folder: Path, content: str | bytes, name: str = "rows.csv") -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = read(folder, content, name).table.to_pydict()
    return found


@pytest.mark.parametrize(
    ("cells", "type_", "values"),
    [
        (["1", "-2", ""], "int64", [1, -2, None]),
        (["1", "2.5", " 3 "], "double", [1.0, 2.5, 3.0]),
        (["1e308", "inf", "-.5"], "double", [1e308, float("inf"), -0.5]),
        (["+1.5", "-2", "NA"], "double", [1.5, -2.0, None]),
        (["true", "False", "?"], "bool", [True, False, None]),
        (["2024-01-31", "1999-12-01"], "date32[day]", [date(2024, 1, 31), date(1999, 12, 1)]),
        (["2024-01-31 10:30"], "timestamp[us]", [datetime(2024, 1, 31, 10, 30)]),
        (["2024-01-31T10:30:00+02:00"], "timestamp[us, tz=UTC]", [datetime(2024, 1, 31, 8, 30, tzinfo=UTC)]),
        (["2024-01-31", "2024-02-30"], "string", ["2024-01-31", "2024-02-30"]),
        (["01234", "99999"], "string", ["01234", "99999"]),
        (["0101.21", "8"], "string", ["0101.21", "8"]),
        (["0", "0.5", "-0.5"], "double", [0.0, 0.5, -0.5]),
        (["12345678901234567890", "7"], "string", ["12345678901234567890", "7"]),
        (["+4930123456", "+4930123457"], "string", ["+4930123456", "+4930123457"]),
        (["0x10", "3"], "string", ["0x10", "3"]),
        (["1", "2", "two"], "string", ["1", "2", "two"]),
        (["1.234,5", "2"], "string", ["1.234,5", "2"]),
        (["yes", "no"], "string", ["yes", "no"]),
        (["NA", "", "-"], "string", [None, None, None]),
    ],
)
def test_a_column_has_the_type_of_its_cells_unless_that_would_lose_some(
    cells: list[str], type_: str, values: list[Any], tmp_path: Path
) -> None:
    table = read(tmp_path, "x,other\n" + "".join(f'"{cell}",1\n' for cell in cells)).table
    assert str(table.schema.field("x").type) == type_
    assert table["x"].to_pylist() == values


def test_a_code_far_below_keeps_its_column_text(tmp_path: Path) -> None:
    rows = 500_000  # several blocks
    found = columns(tmp_path, "zip,n\n" + "10115,1\n" * rows + "01067,2.5\n")
    assert found["zip"][-2:] == ["10115", "01067"]
    assert found["n"][-2:] == [1.0, 2.5]


@pytest.mark.parametrize("missing", ["", "NA", "N/A", "?", "NULL", "None", "nan", "NaN", "-", " ? ", '" "'])
def test_missing_cells_are_missing_however_they_are_spelled(missing: str, tmp_path: Path) -> None:
    assert columns(tmp_path, f"number,word\n1.5,a\n{missing},{missing}\n") == {
        "number": [1.5, None],
        "word": ["a", None],
    }


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(separator: str, tmp_path: Path) -> None:
    rows = [["name", "text", "n"], ["a", '"one, two; three|four\t"', "1"], ["b", '"x"', "2"]]
    content = "\n".join(separator.join(row) for row in rows)
    assert columns(tmp_path, content) == {"name": ["a", "b"], "text": ["one, two; three|four", "x"], "n": [1, 2]}


def test_another_separator_between_quotes_is_part_of_the_cell(tmp_path: Path) -> None:
    """Read with a semicolon, the quote at the end of the first line opens a cell that swallows the second."""
    assert columns(tmp_path, '":",";;"\n"0","0"\n') == {":": [0], ";;": [0]}
    assert columns(tmp_path, 'a,b\n"x;y","1"\n"x;z","2"\n') == {"a": ["x;y", "x;z"], "b": [1, 2]}


def test_a_line_of_excel_states_the_separator(tmp_path: Path) -> None:
    assert columns(tmp_path, "sep=;\r\na;b\r\n1;2\r\n") == {"a": [1], "b": [2]}


def test_decimal_commas_that_a_column_shows_stay_text_for_the_schema(tmp_path: Path) -> None:
    assert columns(tmp_path, "a;b\n1,5;x\n1.234,50;y\n") == {"a": ["1,5", "1.234,50"], "b": ["x", "y"]}
    assert columns(tmp_path, "a;b\n1,500;x\n2,750;y\n")["a"] == ["1,500", "2,750"]  # thousands, or not
    assert columns(tmp_path, "a;b\n1.500;x\n2.750;y\n")["a"] == [1.5, 2.75]


def test_decimal_commas_of_one_column_tell_about_the_others(tmp_path: Path) -> None:
    source = read(tmp_path, "price;area;share;n;word\n1,5;1.200;0,125;1;a,b\n99,5;950;1,500;2;1,5\n;;NA;;\n")
    assert source.table.to_pydict() == {
        "price": ["1,5", "99,5", None], "area": ["1.200,0", "950,0", None], "share": ["0,1250", "1,5000", None],
        "n": [1, 2, None], "word": ["a,b", "1,5", None],
    }  # fmt: skip
    assert source.notes == ("Numbers were read with decimal commas, as in 1.234,5, in area, share.",)
    assert columns(tmp_path, 'a,b\n"1,5",1.200\n')["b"] == [1.2]  # a separator of English files


def test_a_model_of_a_file_with_decimal_commas_takes_its_rows(tmp_path: Path) -> None:
    rows = [f"{i},5;{1 + i}.{i:03};0,{i:03};{'ja' if i % 2 else 'nein'}" for i in range(100)]
    table = read(tmp_path, "price;area;share;target\n" + "\n".join(rows)).table
    schema = infer(table, "target").schema
    assert [(column.kind, column.low, column.high) for column in schema.columns] == [
        ("number", 0.5, 99.5), ("number", 1000.0, 100_099.0), ("number", 0.0, 0.099),
    ]  # fmt: skip
    raw = {"price": ["7,5"], "area": ["1.200"], "share": ["0,125"]}
    assert [canonical(column, raw[column.name]).to_pylist() for column in schema.columns] == [[7.5], [1200.0], [0.125]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_files_of_all_systems_are_read(encoding: str, end: str, tmp_path: Path) -> None:
    text = end.join(["größe,wort", '1,"é, ""x"""', '2,"a', 'b"', ""])
    source = read(tmp_path, text.encode(encoding))
    assert source.table.to_pydict() == {"größe": [1, 2], "wort": ['é, "x"', f"a{end}b"]}
    assert source.notes == (("The text is not UTF-8; it was read as Latin-1.",) if encoding == "cp1252" else ())


@pytest.mark.parametrize("tail", [b"7,0\xef", b"7,0\xef\n", b"7,0\xe2\x82"])
def test_a_row_that_ends_within_a_character_is_refused_in_one_line(tail: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must have 3 cells in each row, got .*, where row 9 has 2"):
        read(tmp_path, b"n,x,word\n" + b"1,2,a\n" * 8 + tail)


def test_a_wrong_row_is_named_if_a_cell_before_it_is_not_utf8(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"where row 400002 has 1 \('8'\)"):
        read(tmp_path, b"n,word\n" + b"1,a\n" * 400_000 + b"7,\xe9\n8\n")


def test_a_byte_that_is_not_utf8_may_stand_far_below(tmp_path: Path) -> None:
    source = read(tmp_path, b"a,b\n" + b"1,x\n" * 400_000 + "2,€é\n".encode("cp1252"))
    assert source.table["b"].to_pylist()[-1] == "€é"
    assert "Latin-1" in source.notes[0]
    assert columns(tmp_path, b"a,b\n1,x\x81y\n")["b"] == ["x\x81y"]  # a byte that cp1252 lacks


@pytest.mark.parametrize("name", ["rows.csv.gz", "rows.csv"])
def test_compressed_files_are_known_by_their_content(name: str, tmp_path: Path) -> None:
    assert columns(tmp_path, gzip.compress(b"a,b\n1,2\n"), name) == {"a": [1], "b": [2]}
    assert columns(tmp_path, bz2.compress(b"a,b\n1,2\n"), name) == {"a": [1], "b": [2]}


def test_a_file_without_names_gets_some(tmp_path: Path) -> None:
    source = read(tmp_path, "5.1,3.5,1.4,Iris-setosa\n4.9,3.0,1.4,Iris-setosa\n")
    assert source.table.column_names == ["column_0", "column_1", "column_2", "column_3"]
    assert source.table.num_rows == 2
    assert source.notes == ("The file has no header; its columns are named column_0 to column_3.",)
    assert len(columns(tmp_path, "39, 77516, State-gov, 13\n50, 83311, Private, 13\n")["column_0"]) == 2
    assert columns(tmp_path, "7,2\n1,3\n") == {"column_0": [7, 1], "column_1": [2, 3]}


@pytest.mark.parametrize("names", ["0,1,2", "1,2,3", "city,2019,2020", "city,2020,2019", "label,5,9", "a,400.5,401"])
def test_numbers_that_count_up_are_names(names: str, tmp_path: Path) -> None:
    assert list(columns(tmp_path, f"{names}\n9,8,7\n")) == names.split(",")


def test_columns_without_a_name(tmp_path: Path) -> None:
    assert columns(tmp_path, ",a\n0,5\n1,6\n") == {"column_0": [0, 1], "a": [5, 6]}  # an index of pandas
    assert columns(tmp_path, "a,b\nr1,1,2\nr2,3,4\n") == {"column_0": ["r1", "r2"], "a": [1, 3], "b": [2, 4]}  # of R
    assert columns(tmp_path, "a,b\n1,2,\n3,4,\n") == {"a": [1, 3], "b": [2, 4]}  # each row ends with a separator
    assert columns(tmp_path, "a,b,\n1,2,\n3,4,\n") == {"a": [1, 3], "b": [2, 4]}


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    assert columns(tmp_path, "\n \na,b\n1,2\n\n   \n3,4\n\n") == {"a": [1, 3], "b": [2, 4]}


def test_spaces_around_names_and_cells_mean_nothing(tmp_path: Path) -> None:
    assert columns(tmp_path, "a, b\n1, x\n2, ?\n") == {"a": [1, 2], "b": ["x", None]}


def test_a_text_of_several_lines_is_one_cell(tmp_path: Path) -> None:
    text = "Dear all,\n\nthis, that, and more.\nBye, me\n"
    found = columns(tmp_path, f'id,text,n\n1,"{text}",3\n')
    assert found["text"] == [text.strip()]


def test_one_column_is_a_table(tmp_path: Path) -> None:
    assert columns(tmp_path, "a\n1\n2\n") == {"a": [1, 2]}


def test_thousands_of_columns_are_read(tmp_path: Path) -> None:
    table = read(tmp_path, ",".join(f"c{i}" for i in range(3000)) + "\n" + ",".join(["0.5"] * 3000) + "\n").table
    assert table.num_columns == 3000
    assert set(table.schema.types) == {pa.float64()}
