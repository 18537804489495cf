"""Any table survives any dialect of CSV; any damage to any file is one line, and never another error."""

from __future__ import annotations

import csv
import gzip
import io
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from steps.base.errors import InputError
from steps.datasets.sources import TableSource, open_source
from steps.datasets.sources.cells import trimmed, typed
from steps.datasets.tabular.words import MISSING

pytestmark = pytest.mark.slow
many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn"))
WORDS = st.text(LETTERS, min_size=1, max_size=8).map(str.strip).filter(lambda word: word and word not in MISSING)
CELLS = st.one_of(
    WORDS, st.sampled_from(sorted(MISSING)), st.integers().map(str), st.floats().map(str), st.dates().map(str),
    st.just('say "hi", she;\tsaid\n|and left|'), st.sampled_from(["01234", "+5", "1,5", "true", "1e5", "0x1F", ".5"]),
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """A row of names that are words, then rows of cells; not only one column, whose blank cells are blank lines."""
    width = draw(st.integers(2, 5))
    names = draw(st.lists(WORDS, min_size=width, max_size=width, unique=True))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=8))
    return [names, *rows]


@many
@given(
    tables(), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.booleans(),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)  # fmt: skip
def test_any_table_survives_any_dialect(
    tmp_path: Path, rows: list[list[str]], separator: str, end: str, is_compressed: bool, encoding: str
) -> None:
    assume(not any(name.replace(".", "").replace("-", "").isdigit() for name in rows[0]))
    assume(not any(name.startswith("column_") for name in rows[0]))
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    content = text.getvalue().encode(encoding)
    path = tmp_path / "rows.csv"
    path.write_bytes(gzip.compress(content) if is_compressed else content)
    source = open_source(str(path))
    assert isinstance(source, TableSource)
    assume(not any("decimal commas" in note for note in source.notes))  # then 1.200 is spelled as 1.200,0
    assert source.table.column_names == rows[0]
    assert source.table.num_rows == len(rows) - 1
    for i, column in enumerate(source.table.columns):
        for cell, value in zip([row[i] for row in rows[1:]], column.to_pylist(), strict=True):
            same(cell, value)


def same(cell: str, value: object) -> None:
    """Assert that a value says what its cell says."""
    cell = cell.strip()
    if cell in MISSING:
        assert value is None
    elif isinstance(value, str):
        assert value == cell
    elif isinstance(value, bool):
        assert value == (cell.casefold() == "true")
    elif isinstance(value, int):
        assert value == int(cell)
    elif isinstance(value, float):
        assert value == float(cell) or math.isnan(value)
    else:
        assert str(value) in (cell, f"{cell} 00:00:00")


@many
@given(st.lists(CELLS, min_size=1, max_size=20))
@example(["9223372036854775807", "9223372036854775808"])
@example(["1", "1.0", "01"])
def test_two_different_cells_never_become_one_code(cells: list[str]) -> None:
    column = typed(trimmed(pa.chunked_array([cells])))
    for cell, value in zip(cells, column.to_pylist(), strict=True):
        same(cell, value)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        assert not any(
            cell.strip().lstrip("+-")[:1] == "0" and cell.strip().lstrip("+-")[1:2].isdigit() for cell in cells
        )


def opens_or_is_refused(given: str) -> None:
    """Assert that a source can be read, or that one line says why not."""
    line = ""
    try:
        open_source(given)
    except InputError as error:
        line = str(error)
    assert "\n" not in line
    assert len(line) < 1000


def write(folder: Path, name: str) -> Path:
    """A good file, or folder, of each format."""
    path = folder / name
    frame = pd.DataFrame({"n": range(50), "x": np.linspace(0, 1, 50), "word": ["a", "b"] * 25})
    match path.suffix:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".gz":
            path.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
        case ".parquet":
            frame.to_parquet(path)
        case ".feather":
            frame.to_feather(path)
        case ".npy":
            np.save(path, frame[["n", "x"]].to_numpy())
        case ".npz":
            np.savez_compressed(path, X=frame[["n", "x"]].to_numpy(), y=np.array(frame["word"], "U1"))
        case _:
            path.parent.mkdir(parents=True)
            (folder / "images" / "other").mkdir()
            pixels = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)
            Image.fromarray(pixels).save(folder / "images" / "other" / "1.png")
            Image.fromarray(pixels).save(path, **({"compression": "tiff_lzw"} if path.suffix == ".tiff" else {}))
    return path


@pytest.mark.parametrize(
    "name",
    ["rows.csv", "rows.csv.gz", "rows.parquet", "rows.feather", "rows.npy", "rows.npz",
     *(f"images/a/1{suffix}" for suffix in (".png", ".jpg", ".bmp", ".gif", ".tiff", ".webp", ".tga", ".ppm"))],
)  # fmt: skip
def test_damage_is_one_line(name: str, tmp_path: Path, seed: int) -> None:
    path = write(tmp_path, name)
    given = str(tmp_path / "images" if name.startswith("images") else path)
    whole, rng = path.read_bytes(), np.random.default_rng(seed)
    for _ in range(300):
        content = bytearray(whole)
        for position in rng.integers(0, len(content), rng.integers(1, 6)):
            content[position] = rng.integers(0, 256)
        if rng.random() < 0.3:
            del content[rng.integers(0, len(content)) :]
        path.write_bytes(content)
        opens_or_is_refused(given)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".feather", ".npy", ".npz"])
def test_noise_is_one_line(suffix: str, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    alphabets = [bytes(range(256)), b'ab1,;\t|"\n\r. -', b'1,2\n"', "äß€,;\n1".encode(), "a,1\n".encode("utf-16")]
    path = tmp_path / f"rows{suffix}"
    for i in range(500):
        alphabet = np.frombuffer(alphabets[i % len(alphabets)], np.uint8)
        path.write_bytes(rng.choice(alphabet, rng.integers(0, 200)).tobytes())
        opens_or_is_refused(str(path))
