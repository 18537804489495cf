"""Folders of images."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from steps.base.errors import InputError
from steps.datasets.inputs import open_input
from steps.datasets.interface import Interface
from steps.datasets.sources import ImageSource, open_source
from steps.datasets.tabular.target import Target

Files = dict[str, np.ndarray | bytes]


def grey(value: int, height: int = 6, width: int = 6) -> np.ndarray:
    return np.full((height, width), value, np.uint8)


def red(height: int = 6, width: int = 6) -> np.ndarray:
    return np.stack([grey(200, height, width), grey(0, height, width), grey(0, height, width)], -1)


def write(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            Image.fromarray(content).save(path)
    return folder


def read(folder: Path, image_shape: tuple[int, ...] = ()) -> ImageSource:
    source = open_source(str(folder), image_shape=image_shape)
    assert isinstance(source, ImageSource)
    return source


def test_a_folder_per_class_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "my photos", {
        "cat/2.png": grey(2), "cat/1.bmp": grey(1), "dog/deep/er/3.webp": np.stack([grey(3)] * 3, -1),
        "dog/4.GIF": grey(4),
    })  # fmt: skip
    source = read(folder)
    assert source.images.dtype == np.uint8
    assert source.images.shape == (4, 6, 6)
    assert source.images[:2, 0, 0].tolist() == [1, 2]
    assert source.labels == ("cat", "cat", "dog", "dog")
    assert source.splits is None
    assert (source.name, source.source) == ("my-photos", str(folder))
    assert source.notes == ("The images were read as grey.",)


@pytest.mark.parametrize("names", [("train", "val", "test"), ("Train", "validation", "Testing")])
def test_folders_of_splits_are_known(names: tuple[str, str, str], tmp_path: Path) -> None:
    train, validation, test = names
    write(tmp_path, {
        f"{train}/a/1.png": grey(1), f"{train}/b/1.png": grey(2), f"{validation}/a/1.png": grey(3),
        f"{test}/b/1.png": grey(4),
    })  # fmt: skip
    source = read(tmp_path)
    assert source.splits is not None
    rows = zip(source.splits, source.labels, source.images[:, 0, 0].tolist(), strict=True)
    assert sorted(rows) == [("test", "b", 4), ("train", "a", 1), ("train", "b", 2), ("validation", "a", 3)]


def test_classes_may_be_named_as_splits_are(tmp_path: Path) -> None:
    source = read(write(tmp_path, {"train/1.png": grey(1), "car/1.png": grey(2)}))
    assert source.labels == ("car", "train")
    assert source.splits is None


def test_one_coloured_image_makes_all_coloured(tmp_path: Path) -> None:
    source = read(write(tmp_path, {"a/1.png": grey(1), "b/1.png": red()}))
    assert source.images.shape == (2, 6, 6, 3)
    assert source.images[:, 0, 0].tolist() == [[1, 1, 1], [200, 0, 0]]


def test_images_of_several_sizes_become_squares(tmp_path: Path) -> None:
    source = read(write(tmp_path, {"a/1.png": grey(9, 20, 40), "a/2.png": grey(9, 30, 30), "b/1.png": grey(9, 40, 10)}))
    assert source.images.shape == (3, 40, 40)
    assert source.notes == (
        "Images of 3 sizes, 20 x 40 to 40 x 10, became 40 x 40 pixels (height x width), with their proportions kept.",
    )


def test_large_images_of_one_size_become_smaller(tmp_path: Path) -> None:
    source = read(write(tmp_path, {"a/1.png": grey(9, 96, 128), "b/1.png": grey(8, 96, 128)}))
    assert source.images.shape == (2, 48, 64)
    assert "Images of 96 x 128 became 48 x 64 pixels" in source.notes[0]


@pytest.mark.parametrize("shape", [(8, 4), (8, 4, 1), (8, 4, 3)])
def test_the_shape_can_be_stated(shape: tuple[int, ...], tmp_path: Path) -> None:
    source = read(write(tmp_path, {"a/1.png": grey(1), "b/1.png": grey(2)}), shape)
    assert source.images.shape == (2, 8, 4, 3) if shape[-1] == 3 else (2, 8, 4)


def test_what_was_done_is_said(tmp_path: Path) -> None:
    write(tmp_path, {"a/1.png": grey(1), "b/1.png": red(), "a/notes.txt": b"x", "readme.md": b"x", "b/.DS_Store": b"x"})
    Image.new("RGBA", (6, 6), (0, 0, 0, 0)).save(tmp_path / "a" / "2.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(red()).save(tmp_path / "b" / "2.jpg", exif=exif)
    assert read(tmp_path).notes == (
        "1 image was turned upright by EXIF data.",
        "1 image was put on white where transparent, or on black if they are light.",
        "2 files that are no images, or in no folder of a class, were left out: readme.md, a/notes.txt.",
    )


def test_prediction_reads_a_picture_as_training_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    write(
        tmp_path,
        {f"{label}/{i}.png": rng.integers(0, 256, (9 + i, 20, 4), np.uint8) for label in "ab" for i in range(3)},
    )
    source = read(tmp_path, (10, 12, 3))
    interface = Interface(Target("classification", class_names=("a", "b")), 360, np.dtype("uint8"), 255.0, (10, 12, 3))
    (raw,) = open_input(str(tmp_path), interface, invert=False)
    np.testing.assert_array_equal(raw.given, source.images.reshape(6, -1))


def test_the_digest_is_of_the_files(tmp_path: Path) -> None:
    write(tmp_path, {"a/1.png": grey(1), "b/1.png": grey(2)})
    first = read(tmp_path).sha256
    assert read(tmp_path).sha256 == first
    write(tmp_path, {"b/1.png": grey(3)})
    second = read(tmp_path).sha256
    (tmp_path / "b").rename(tmp_path / "c")
    assert len({first, second, read(tmp_path).sha256}) == 3


def cut(image: np.ndarray, folder: Path) -> bytes:
    Image.fromarray(image).save(folder / "whole.png")
    return (folder / "whole.png").read_bytes()[:-30]


BAD: dict[str, tuple[Files, str]] = {
    "no image": ({"a/1.txt": b"x"}, r"must hold a folder of images per class, .*, which holds neither"),
    "images without a class": ({"1.png": grey(1), "2.png": grey(2)}, r"where 1.png, 2.png lie in no folder of a class"),
    "one class": ({"cat/1.png": grey(1), "cat/2.png": grey(2)}, r"two classes or more, got 'cat' alone, in '.*photos'"),
    "tables": ({"1.csv": b"a\n1\n"}, r"which holds CSV files; give them as '.*photos/\*.csv'"),
    "one class to train": (
        {"train/a/1.png": grey(1), "test/a/1.png": grey(1), "test/b/1.png": grey(1)}, r"got 'a' alone",
    ),
    "a class that is not trained": (
        {"train/a/1.png": grey(1), "train/b/1.png": grey(1), "test/c/1.png": grey(1)},
        r"got the class 'c' only in the split test of",
    ),
    "an image that is none": (
        {"a/1.png": grey(1), "b/2.png": grey(1), "b/1.jpg": b"no image"}, r"got 1 in '.*photos' that cannot: b/1.jpg",
    ),
    "several of them": (
        {"a/1.png": grey(1), "b/1.png": grey(1), **{f"b/{i}.jpg": b"" for i in range(9)}},
        r"got 9 in .* that cannot: b/0.jpg, b/1.jpg, b/2.jpg and 6 more",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_folder_that_cannot_be_read_is_named_in_one_line(case: str, tmp_path: Path) -> None:
    files, message = BAD[case]
    with pytest.raises(InputError, match=message) as raised:
        open_source(str(write(tmp_path / "photos", files)))
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 600


def test_a_truncated_image_is_named(tmp_path: Path) -> None:
    write(tmp_path / "photos", {"a/1.png": grey(1), "b/1.png": cut(red(60, 60), tmp_path)})
    with pytest.raises(InputError, match=r"that cannot: b/1.png \(.*truncated"):
        open_source(str(tmp_path / "photos"))


def test_names_that_are_not_utf8_can_be_written(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    write(folder, {os.fsdecode(b"k\xe4se/1.png"): grey(1), "brot/1.png": grey(2), os.fsdecode(b"\xff.txt"): b"x"})
    source = read(folder)
    assert source.labels == ("brot", "k\ufffdse")
    for text in (source.name, source.source, *source.labels, *source.notes):
        text.encode()
