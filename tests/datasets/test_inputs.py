from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from steps.base.errors import InputError
from steps.datasets.inputs import open_input
from steps.datasets.interface import Interface
from steps.datasets.pixel_columns import in_order
from steps.datasets.rows import CHUNK_ROWS, Chunk
from steps.datasets.tabular.target import Target

PETS = Target("classification", class_names=("cat", "dog"))
PIXELS = Interface(PETS, 4, np.dtype("uint8"), 16.0, (2, 2))
NUMBERS = Interface(PETS, 4, np.dtype("float32"), 1.0, None)
HEADER = "a,b,c,d"


def read(path: Path | str, interface: Interface = PIXELS, *, invert: bool = False) -> Chunk:
    """All rows of an input as one chunk."""
    parts = list(open_input(str(path), interface, invert=invert))
    targets = [part.targets for part in parts if part.targets is not None]
    return Chunk(
        names=[name for part in parts for name in part.names],
        keys=pa.concat_arrays([part.keys for part in parts]),
        given=np.concatenate([part.given for part in parts]),
        targets=np.concatenate(targets) if targets else None,
        bad=[row for part in parts for row in part.bad],
        position=parts[-1].position,
    )


def values(n: int = 10) -> np.ndarray:
    return (np.arange(4 * n).reshape(n, 4) % 17).astype(np.uint8)


BIG_ENDIAN = values().astype(">i4")


def write(path: Path, *, labelled: bool, n: int = 10) -> Path:
    frame = pd.DataFrame(values(n), columns=list("abcd"))
    names = np.array(["cat", "dog"])[np.arange(n) % 2]
    if labelled:
        frame.insert(2, "label", names)
    labels = {"labels": names} if labelled else {}
    match path.suffix:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".parquet":
            frame.to_parquet(path)
        case ".npy":
            np.save(path, values(n).reshape(n, 2, 2))
        case ".npz":
            np.savez_compressed(path, features=values(n), **labels)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("n", [10, 2 * CHUNK_ROWS + 1])
@pytest.mark.parametrize(
    ("suffix", "labelled"),
    [(".csv", False), (".csv", True), (".parquet", False), (".parquet", True), (".npy", False), (".npz", False),
     (".npz", True)],
)  # fmt: skip
def test_every_format_gives_the_same_rows(suffix: str, labelled: bool, n: int, tmp_path: Path) -> None:
    path = write(tmp_path / f"rows{suffix}", labelled=labelled, n=n)
    found = read(path)
    assert found.names == list(range(1, n + 1))
    assert found.given.dtype == np.uint8
    np.testing.assert_array_equal(found.given, values(n))
    assert (found.targets is not None) == labelled
    if found.targets is not None:
        assert found.targets.tolist() == [i % 2 for i in range(n)]
    assert found.bad == []
    assert found.position == open_input(str(path), PIXELS, invert=False).size


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,2,x,4", "column 'c' must be a number, got 'x'"),
        ("1,2,,4", "column 'c' must be a number, got ''"),
        ("1,2,3", "must have 4 columns, got 3"),
        ("1,2,3,4,5", "must have 4 columns, got 5"),
        ("1,2,3,17", "column 'd' must be a whole number from 0 to 16, got 17"),
        ("1,2,-3,4", "column 'c' must be a whole number from 0 to 16, got -3"),
        ("0.5,2,3,4", "column 'a' must be a whole number from 0 to 16, got 0.5"),
        ("1,nan,3,4", "column 'b' must be a whole number from 0 to 16, got nan"),
    ],
)
def test_a_bad_row_is_named_and_left_out(row: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"{HEADER}\n1,2,3,4\n\n{row}\n5,6,7,8\n")
    found = read(path)
    assert found.names == [1, 3]
    assert found.given.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert [(bad.key, bad.reason) for bad in found.bad] == [(2, reason)]


def test_rows_keep_their_numbers_whatever_the_bad_ones_among_them(tmp_path: Path) -> None:
    n = 3 * CHUNK_ROWS
    rows = ["1,2,3" if i % 3 == 0 else "1,x,3,4" if i % 3 == 1 else "1,2,3,4" for i in range(1, n + 1)]
    text = "\n".join(f"{row}\n  \n" if i % 7 == 0 else row for i, row in enumerate(rows))  # and some blank lines
    (tmp_path / "rows.csv").write_text(f"{HEADER}\n{text}\n1\n")
    found = read(tmp_path / "rows.csv")
    assert found.names == [i for i in range(1, n + 1) if i % 3 == 2]
    assert [row.key for row in found.bad] == [*(i for i in range(1, n + 1) if i % 3 != 2), n + 1]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv_files_of_all_systems_are_read(mark: str, end: str, tmp_path: Path) -> None:
    lines = ['a,"b, or ""b""",c,d', '1," 2",3.0,4', '"5",6,7e0,+8', ""]
    (tmp_path / "rows.csv").write_bytes(f"{mark}{end.join(lines)}".encode())
    assert read(tmp_path / "rows.csv").given.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_a_newline_in_quotes_belongs_to_its_row(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f'{HEADER},label\n1,2,3,4,"\ndog"\n1,"2\n2",3,4,dog\n1,2,3,4,cat\n')
    found = read(tmp_path / "rows.csv")
    assert found.names == [1, 3]
    assert found.targets is not None
    assert found.targets.tolist() == [1, 0]
    assert [(bad.key, bad.reason) for bad in found.bad] == [(2, r"column 'b' must be a number, got '2\n2'")]


def test_a_quote_that_is_never_closed_gives_one_short_line(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f'{HEADER}\n1,2,3,4\n1,2,3,"4\n' + "1,2,3,4\n" * 5000)
    found = read(tmp_path / "rows.csv")
    assert found.names == [1]
    assert len(found.bad[0].reason) < 100
    (tmp_path / "rows.csv").write_text(f'{HEADER}\n1,2,3,"4\n' + "1,2,3,4\n" * 700_000)
    with pytest.raises(InputError, match="is a quote never closed"):
        read(tmp_path / "rows.csv")


def test_equal_names_of_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,a,a,a\n1,2,3,4\n")
    pq.write_table(pa.table([[1], [2], [3.0], [True]], names=list("aaaa")), tmp_path / "rows.parquet")
    for name in ("rows.csv", "rows.parquet"):
        with pytest.raises(InputError, match="must have columns of different names, got 'a' more than once"):
            read(tmp_path / name, NUMBERS)


PIXEL_NAMES = {"a": "pixel0", "b": "pixel1", "c": "pixel2", "d": "pixel3"}
OTHER_FORMATS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "rows.tsv": lambda rows, path: rows.to_csv(path, index=False, sep="\t"),
    "rows.txt": lambda rows, path: rows.to_csv(path, index=False, sep=";", decimal=",", float_format="%.1f"),
    "rows.csv.gz": lambda rows, path: rows.to_csv(path, index=False),
    "rows.feather": lambda rows, path: rows.to_feather(path),
    "rows.pq": lambda rows, path: rows.set_index(rows.index * 2).to_parquet(path),  # with __index_level_0__
    "latin.csv": lambda rows, path: rows.rename(columns={"a": "ä"}).to_csv(path, index=False, encoding="latin-1"),
    "folder": lambda rows, path: (
        path.mkdir(),
        rows[:4].to_parquet(path / "1.parquet"),
        rows[4:].to_parquet(path / "2.parquet"),
    ),
    "categories.parquet": lambda rows, path: rows.astype({"a": "category"}).to_parquet(path),
    "index.csv": lambda rows, path: rows.rename(columns=PIXEL_NAMES).to_csv(path),
    "id.csv": lambda rows, path: rows.rename(columns=PIXEL_NAMES).assign(id=7).to_csv(path, index=False),
}


@pytest.mark.parametrize("name", OTHER_FORMATS)
def test_tables_of_pixels_come_in_the_formats_of_all_tables(name: str, tmp_path: Path) -> None:
    rows = pd.DataFrame(values(), columns=list("abcd")).assign(label=["cat", "dog"] * 5)
    OTHER_FORMATS[name](rows, tmp_path / name)
    found = read(tmp_path / name)
    assert found.names == list(range(1, 11))
    np.testing.assert_array_equal(found.given, values())
    assert found.targets is not None
    assert found.targets.tolist() == [0, 1] * 5


def test_a_file_without_a_header_has_rows_from_its_first_line(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("7,2,9,4\n1,2,3,4\n")
    assert read(tmp_path / "rows.csv").given.tolist() == [[7, 2, 9, 4], [1, 2, 3, 4]]


@pytest.mark.parametrize("labels", [["1", "", " 0 "], [1.0, None, 0.0], [b"1", b"", b"0"]])
def test_labels_are_read_as_the_classes_that_they_mean_and_may_be_missing(labels: list[object], tmp_path: Path) -> None:
    pd.DataFrame(values(3), columns=list("abcd")).assign(label=labels).to_parquet(tmp_path / "rows.parquet")
    binary = Interface(Target("classification", class_names=("0", "1")), 4, np.dtype("uint8"), 16.0, (2, 2))
    found = read(tmp_path / "rows.parquet", binary)
    assert found.targets is not None
    assert found.targets.tolist() == [1, -1, 0]  # rows without a label are predicted


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("label", ["label", "Digit", ""])
def test_numbered_pixels_are_taken_by_their_numbers(label: str, suffix: str, tmp_path: Path) -> None:
    frame = pd.DataFrame([[3, 1, 2, 0]], columns=["pixel12", "pixel10", "pixel11", "pixel9"])
    if label:
        frame.insert(1, label, "dog")
    path = tmp_path / f"rows{suffix}"
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    found = read(path)
    assert found.given.tolist() == [[0, 1, 2, 3]]
    assert (found.targets is None) == (not label)


def test_names_that_do_not_say_which_pixel_they_hold_are_taken_by_position() -> None:
    for names in (["b", "a"], ["2x1", "1x2"], ["pixel3", "pixel1"], ["p2", "q1"], ["a", "a"], ["p1", "p1"]):
        assert in_order(names) == [0, 1]
    assert in_order(["p3", "p1", "p2"]) == in_order(["3", "1", "2"]) == [1, 2, 0]


def test_missing_values_of_parquet_are_named(tmp_path: Path) -> None:
    columns = [[1, None], [2.5, 1], [True, None], np.array([3, 4], np.float16)]
    pq.write_table(pa.table(columns, names=list("abcd")), tmp_path / "rows.parquet")
    found = read(tmp_path / "rows.parquet", NUMBERS)
    assert found.given.tolist() == [[1, 2.5, 1, 3]]
    assert [(bad.key, bad.reason) for bad in found.bad] == [(2, "column 'a' must be a finite number, got nan")]


@pytest.mark.parametrize("array", [BIG_ENDIAN, np.asfortranarray(BIG_ENDIAN), BIG_ENDIAN.reshape(10, 2, 2)])
@pytest.mark.parametrize("save", [np.save, lambda path, array: np.savez_compressed(path, features=array)])
def test_arrays_may_be_stored_in_any_order(
    array: np.ndarray, save: Callable[[Path, np.ndarray], None], tmp_path: Path
) -> None:
    path = tmp_path / ("rows.npy" if save is np.save else "rows.npz")
    save(path, array)
    assert read(path).given.tolist() == BIG_ENDIAN.tolist()


def test_booleans_are_zero_and_one(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.array([[True, False, True, True]]))
    assert read(tmp_path / "rows.npy").given.tolist() == [[1, 0, 1, 1]]


def test_real_numbers_may_be_any_that_are_finite(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.array([[0.5, -3, 1e6, 0], [np.inf, 0, 0, 0]]))
    found = read(tmp_path / "rows.npy", NUMBERS)
    assert found.given.tolist() == [[0.5, -3, 1e6, 0]]
    assert found.bad[0].reason == "column '0' must be a finite number, got inf"


def test_a_label_that_is_no_class_is_bad(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f"{HEADER},label\n1,2,3,4,dog\n1,2,3,4,cow\n")
    found = read(tmp_path / "rows.csv")
    assert found.bad[0].reason == "label must hold classes of the target, got 'cow'"
    assert found.targets is not None
    assert found.targets.tolist() == [1]


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    """A folder with one drawing in three formats, 4 x 4 pixels, white on black, and one file that is none."""
    folder = tmp_path / "drawings"
    (folder / "deep").mkdir(parents=True)
    pixels = np.kron(np.array([[0, 255], [51, 0]], np.uint8), np.ones((2, 2), np.uint8))
    Image.fromarray(pixels).save(folder / "b.png")
    Image.fromarray(pixels).convert("RGB").save(folder / "deep" / "a.PNG")
    Image.fromarray(np.kron(pixels, np.ones((8, 8), np.uint8))).save(folder / "c.jpg", quality=100)
    (folder / "d.jpeg").write_bytes(b"no image")
    (folder / "readme.txt").write_text("not looked at")
    return folder


def test_images_are_made_what_the_model_knows(drawing: Path) -> None:
    found = read(drawing)
    assert found.names == ["b.png", "c.jpg", "deep/a.PNG"]
    assert found.given.tolist() == [[0, 16, 3, 0]] * 3
    assert open_input(str(drawing), PIXELS).left_out == "Left out, as not images: 1 (readme.txt)"
    (bad,) = found.bad
    assert (bad.key, bad.reason[:20]) == ("d.jpeg", "not a readable image")
    assert read(drawing / "*.png").given.tolist() == [[0, 16, 3, 0]]


def test_a_name_that_is_not_utf8_is_escaped(drawing: Path, tmp_path: Path) -> None:
    strange = tmp_path / os.fsdecode(b"k\xe4se")
    drawing.rename(strange)
    (strange / "b.png").rename(strange / os.fsdecode(b"b\xff.png"))
    found = read(strange)
    assert r"b\xff.png" in found.keys.to_pylist()
    assert read(strange / os.fsdecode(b"b\xff.png")).names == [rf"{tmp_path}/k\xe4se/b\xff.png"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npy", ".npz"])
def test_a_file_that_exists_is_no_pattern(suffix: str, tmp_path: Path) -> None:
    for name in ("rows[1]", "rows*", "rows?"):
        assert len(read(write(tmp_path / f"{name}{suffix}", labelled=False)).names) == 10


def test_an_image_that_exists_is_no_pattern(drawing: Path) -> None:
    image = (drawing / "b.png").rename(drawing / "b[1].png")
    assert read(image).names == [str(image)]


def test_inversion_is_stated(drawing: Path) -> None:
    assert read(drawing / "b.png", invert=True).given.tolist() == [[16, 0, 13, 16]]
    with pytest.raises(InputError, match="invert must be false for an input that is not images"):
        read(write(drawing / "rows.csv", labelled=False), invert=True)


@pytest.mark.parametrize("names", [("features", "labels"), ("X", "y"), ("data", "target"), ("arr_0", "arr_1")])
def test_arrays_may_have_any_usual_names(names: tuple[str, str], tmp_path: Path) -> None:
    features, labels = names
    arrays = {features: values(2), labels: np.array([b"dog", b"cat"])}
    np.savez(tmp_path / "rows.npz", **arrays)  # type: ignore[arg-type]
    found = read(tmp_path / "rows.npz")
    np.testing.assert_array_equal(found.given, values(2))
    assert found.targets is not None
    assert found.targets.tolist() == [1, 0]


def test_a_single_array_holds_the_features_whatever_its_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", pixels=values(2))
    assert read(tmp_path / "rows.npz").targets is None


def text(content: str | bytes) -> Callable[[Path], None]:
    return lambda path: (path.write_bytes(content if isinstance(content, bytes) else content.encode()), None)[1]


def frame(**columns: object) -> Callable[[Path], None]:
    return lambda path: pd.DataFrame(columns).to_parquet(path)


WRONG: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "missing": ("rows.csv", lambda _: None, "must be a file that exists"),
    "format": (
        "rows.xlsx",
        text("x"),
        "must be a CSV, Parquet, Feather, .npz or .npy file, .* or images for a model of images",
    ),
    "empty csv": ("rows.csv", text(""), "which is empty"),
    "only names": ("rows.csv", text("a,b,c,d\n"), "which is empty"),
    "columns": ("rows.csv", text("a,b\n1,2\n"), "must have 4 columns of features, got 2"),
    "labels in front": ("rows.csv", text("7,2,9,4,1\n1,2,3,4,2\n"), "got 5 .* a column of classes is named label or"),
    "binary csv": ("rows.csv", text(b"a\x00\x01\xff"), "which holds no text"),
    "only blank lines": ("rows.csv", text("a,b,c,d\n\n  \n"), "which is empty"),
    "no parquet": ("rows.parquet", text("a,b,c,d\n"), "must be a Parquet file"),
    "text column": ("rows.parquet", frame(a=[1], b=[2], c=[[3]], d=[4]), "got list<.*> in column 'c'"),
    "labels in lists": (
        "rows.parquet",
        frame(a=[1], b=[2], c=[3], d=[4], label=[["cat"]]),
        "must have one class per row",
    ),
    "parquet columns": ("rows.parquet", frame(a=[1]), "must have 4 columns of features, got 1"),
    "empty parquet": ("rows.parquet", frame(a=[], b=[], c=[], d=[]), "which is empty"),
    "no npy": ("rows.npy", text("abc"), "must be an undamaged array"),
    "npy columns": ("rows.npy", lambda p: np.save(p, np.ones((3, 5))), "must have 4 columns of features, got 5"),
    "npy of text": (
        "rows.npy",
        lambda p: np.save(p, np.full((3, 4), "x")),
        "of rows of numbers, got <U1",
    ),
    "empty npy": ("rows.npy", lambda p: np.save(p, np.ones((0, 4))), "which is empty"),
    "pickle": ("rows.npy", lambda p: np.save(p, np.array([[{}] * 4]), allow_pickle=True), "Python objects"),
    "no npz": ("rows.npz", text("abc"), "must be an undamaged .npz file"),
    "npz without features": (
        "rows.npz",
        lambda p: np.savez(p, a=np.ones(3), b=[1]),
        "must hold an array 'features' or",
    ),
    "labels too few": ("rows.npz", lambda p: np.savez(p, features=values(), labels=[1]), "must have one label per row"),
    "no images": ("folder", lambda path: path.mkdir(), "which has none"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_input_that_cannot_be_read_is_refused(case: str, tmp_path: Path) -> None:
    name, make, message = WRONG[case]
    make(tmp_path / name)
    with pytest.raises(InputError, match=message):
        open_input(str(tmp_path / name), PIXELS, invert=False)


def test_images_are_for_models_of_images(drawing: Path) -> None:
    with pytest.raises(InputError, match="must be a table for a model that takes no images"):
        read(drawing, NUMBERS)


def test_an_unpacked_file_goes_with_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    reader = open_input(str(write(tmp_path / "rows.npz", labelled=True)), PIXELS, invert=False)
    assert len(list((tmp_path / "temporary").iterdir())) == 1
    del reader
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_a_damaged_file_is_refused(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"rows{suffix}", labelled=False, n=1000)
    content = bytearray(path.read_bytes())
    if suffix == ".npy":
        path.write_bytes(content[:-50])
    else:
        content[len(content) // 2] ^= 1  # a changed byte: the archive's checksum tells
        path.write_bytes(content)
    with pytest.raises(InputError, match="must be an undamaged"):
        open_input(str(path), PIXELS, invert=False)
