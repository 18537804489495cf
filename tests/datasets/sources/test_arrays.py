"""NumPy files as tables and as images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from steps.datasets.sources import ImageSource, TableSource, open_source


def read(path: Path) -> TableSource:
    source = open_source(str(path))
    assert isinstance(source, TableSource)
    return source


@pytest.mark.parametrize(("x", "y"), [("X", "y"), ("features", "labels"), ("data", "target"), ("arr_0", "arr_1")])
def test_features_and_labels_are_a_table_with_its_target(x: str, y: str, tmp_path: Path) -> None:
    arrays = {x: np.array([[1.5, 2], [3, np.nan]], ">f4"), y: np.array(["yes", "no"])}
    np.savez(tmp_path / "rows.npz", **arrays)  # type: ignore[arg-type]
    source = read(tmp_path / "rows.npz")
    assert source.table["column_0"].to_pylist() == [1.5, 3.0]
    assert np.isnan(source.table["column_1"].to_pylist()[1])
    assert source.table["target"].to_pylist() == ["yes", "no"]
    assert (source.target, source.split) == ("target", "")


def test_columns_have_the_names_that_the_file_states(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", X=np.eye(2), y=[1, 0], feature_names=["height", "width"])
    assert read(tmp_path / "rows.npz").table.column_names == ["height", "width", "target"]


def test_arrays_of_one_length_are_columns(tmp_path: Path) -> None:
    np.savez_compressed(
        tmp_path / "rows.npz", age=[30, 40], name=np.array([b"Ann", b"NA"]), at=np.array(["2024-01-31", "NaT"], "M8[s]")
    )
    table = read(tmp_path / "rows.npz").table
    assert table["age"].to_pylist() == [30, 40]
    assert table["name"].to_pylist() == ["Ann", None]
    assert table["at"].null_count == 1


def test_parts_of_a_split_are_kept(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "rows.npz",
        x_train=np.zeros((3, 2)), y_train=[0, 1, 0], x_test=np.ones((1, 2)), y_test=np.array([[1]]),
    )  # fmt: skip
    source = read(tmp_path / "rows.npz")
    assert source.split == "split"
    assert source.table["split"].to_pylist() == ["train", "train", "train", "test"]
    assert source.table["target"].to_pylist() == [0, 1, 0, 1]


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3), (4, 5, 1)])
def test_bytes_of_two_dimensions_are_images(shape: tuple[int, ...], tmp_path: Path) -> None:
    images = np.arange(6 * np.prod(shape)).reshape(6, *shape).astype(np.uint8)
    np.savez(tmp_path / "mnist.npz", x_train=images[:4], y_train=[0, 1, 2, 3], x_test=images[4:], y_test=[0, 1])
    source = open_source(str(tmp_path / "mnist.npz"))
    assert isinstance(source, ImageSource)
    np.testing.assert_array_equal(source.images, images.reshape(6, 4, 5) if shape[-1] == 1 else images)
    assert source.labels == ("0", "1", "2", "3", "0", "1")
    assert source.splits == ("train",) * 4 + ("test",) * 2
    assert source.name == "mnist"


@pytest.mark.parametrize("shape", [(8, 10), (4, 5, 1), (4, 5, 3), (6, 6, 3)])
def test_images_of_a_file_get_the_shape_that_is_stated(shape: tuple[int, ...], tmp_path: Path) -> None:
    for n_channels in (1, 3):
        np.savez(tmp_path / "rows.npz", X=np.full((2, 4, 5, n_channels), 7, np.uint8), y=[0, 1])
        source = open_source(str(tmp_path / "rows.npz"), image_shape=shape)
        assert isinstance(source, ImageSource)
        channels = (3,) if shape[2:] == (3,) or (n_channels == 3 and shape[2:] == ()) else ()
        assert source.images.shape == (2, *shape[:2], *channels)
        assert set(source.images.flat) == {7}


@pytest.mark.parametrize("labels", [[5.0, 7.0], [b"5", b"7"], ["5", "7"], [5, 7]])
def test_labels_are_the_names_that_they_mean(labels: list[object], tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", X=np.zeros((2, 4, 5), np.uint8), y=labels)
    source = open_source(str(tmp_path / "rows.npz"))
    assert isinstance(source, ImageSource)
    assert source.labels == ("5", "7")


def test_other_numbers_of_two_dimensions_are_a_table(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", X=np.zeros((3, 2, 2)), y=[0, 1, 0])
    assert read(tmp_path / "rows.npz").table.num_columns == 5


def test_an_array_is_a_table(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.asfortranarray([[1, 2], [3, 4]]))
    assert read(tmp_path / "rows.npy").table.to_pydict() == {"column_0": [1, 3], "column_1": [2, 4]}
    np.save(tmp_path / "rows.npy", np.array([(1, "a"), (2, "?")], [("n", ">i4"), ("word", "U3")]))
    assert read(tmp_path / "rows.npy").table.to_pydict() == {"n": [1, 2], "word": ["a", None]}


def test_a_matrix_without_labels_is_a_table(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", np.array([[1, 2], [3, 4]], np.longdouble))
    assert read(tmp_path / "rows.npz").table.to_pydict() == {"column_0": [1.0, 3.0], "column_1": [2.0, 4.0]}


def test_dates_of_any_unit_are_read(tmp_path: Path) -> None:
    dates = {unit: np.array(["2024-02-01", "NaT"], f"M8[{unit}]") for unit in ("Y", "M", "D", "h", "ms", "ns")}
    np.savez(tmp_path / "rows.npz", **dates)  # type: ignore[arg-type]
    table = read(tmp_path / "rows.npz").table
    for unit, column in zip(table.column_names, table.columns, strict=True):
        value, missing = column.to_pylist()
        assert str(value)[:10] == ("2024-01-01" if unit == "Y" else "2024-02-01")
        assert missing is None
