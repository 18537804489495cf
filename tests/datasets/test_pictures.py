"""One picture: upright, opaque, 8 bits, of the shape asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from steps.datasets.pictures import UNREADABLE, fitted, picture_suffixes, read_head, read_picture, shows_colour

GREY = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)
COLOURS = np.stack([GREY, GREY[::-1], 255 - GREY], -1)


def read(image: Image.Image, path: Path, shape: tuple[int, ...], **options: object) -> np.ndarray:
    image.save(path, **options)
    return read_picture(path, shape)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".gif", ".ppm", ".tga", ".jp2"])
def test_formats_without_loss_keep_every_pixel(suffix: str, tmp_path: Path) -> None:
    options = {".webp": {"lossless": True}, ".jp2": {"irreversible": False}}.get(suffix, {})
    assert suffix in picture_suffixes()
    if suffix not in (".gif",):
        found = read(Image.fromarray(COLOURS), tmp_path / f"a{suffix}", (4, 6, 3), **options)
        np.testing.assert_array_equal(found, COLOURS)
    if suffix not in (".webp",):
        np.testing.assert_array_equal(read(Image.fromarray(GREY), tmp_path / f"b{suffix}", (4, 6)), GREY)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I", "F"])
def test_a_picture_is_the_same_in_every_mode(mode: str, tmp_path: Path) -> None:
    black_and_white = np.where(GREY > 100, 255, 0).astype(np.uint8)
    image = Image.fromarray(black_and_white)
    if mode == "I;16":
        image = Image.fromarray(black_and_white.astype(np.uint16) * 257)
    elif mode == "I":
        image = Image.fromarray(black_and_white.astype(np.int32) * 257)
    elif mode == "F":
        image = Image.fromarray(black_and_white.astype(np.float32) / 255)
    else:
        image = image.convert("RGB").convert(mode)
    np.testing.assert_array_equal(read(image, tmp_path / "a.tiff", (4, 6)), black_and_white)


def test_sixteen_bits_are_scaled_not_cut(tmp_path: Path) -> None:
    deep = np.array([[0, 256, 25_700], [32_896, 65_279, 65_535]], np.uint16)
    assert read(Image.fromarray(deep), tmp_path / "a.png", (2, 3)).tolist() == [[0, 1, 100], [128, 254, 255]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_lies_as_its_exif_data_say(orientation: int, tmp_path: Path) -> None:
    turns = {2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1], 5: np.transpose,
             6: lambda a: np.rot90(a, 1), 7: lambda a: np.rot90(a, 2).T, 8: lambda a: np.rot90(a, -1)}  # fmt: skip
    stored = Image.fromarray(np.ascontiguousarray(turns.get(orientation, lambda a: a)(GREY)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png", (4, 6)), GREY)
    head = read_head(tmp_path / "a.png")
    assert (head.size, head.is_turned) == ((4, 6), orientation > 1)


def test_transparency_shows_what_is_drawn(tmp_path: Path) -> None:
    alpha = np.array([[0, 255, 255, 0]], np.uint8).repeat(3, 0)
    for stroke, background in ((0, 255), (90, 255), (255, 0)):
        pixels = np.full((3, 4), stroke, np.uint8)
        pixels[alpha == 0] = 77  # whatever lies under it
        drawing = Image.merge("LA", [Image.fromarray(pixels), Image.fromarray(alpha)])
        expected = np.where(alpha > 0, stroke, background)
        np.testing.assert_array_equal(read(drawing, tmp_path / "a.png", (3, 4)), expected)
        assert read_head(tmp_path / "a.png").is_transparent
    nothing = Image.new("RGBA", (4, 3), (0, 0, 0, 0))
    assert set(read(nothing, tmp_path / "a.png", (3, 4)).flat) == {255}
    palette = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    palette.putpalette([9, 9, 9, 200, 0, 0, 0, 0, 200])
    found = read(palette, tmp_path / "b.png", (1, 3, 3), transparency=0)
    assert found.tolist() == [[[255, 255, 255], [200, 0, 0], [0, 0, 200]]]


def test_proportions_are_kept_and_the_rest_has_the_colour_of_the_border() -> None:
    wide = np.full((2, 8), 200, np.uint8)
    wide[:, 3:5] = 50
    assert fitted(wide, (4, 8)).tolist() == [[200] * 8, *wide.tolist(), [200] * 8]
    square = fitted(wide, (4, 4))
    assert square.tolist() == [[200] * 4, [200, 125, 125, 200], [200] * 4, [200] * 4]
    assert fitted(COLOURS, (4, 8))[:, 1:7].tolist() == COLOURS.tolist()
    assert fitted(np.full((1, 1000), 7, np.uint8), (4, 4)).tolist() == [[7] * 4] * 4
    assert fitted(GREY, (8, 12)).shape == (8, 12)


def test_a_large_photograph_is_decoded_small(tmp_path: Path) -> None:
    x = np.linspace(0, 255, 1600)
    photograph = np.stack([np.add.outer(x[:1200], x) / 2] * 3, -1).astype(np.uint8)
    Image.fromarray(photograph).save(tmp_path / "a.jpg", quality=95)
    expected = np.asarray(Image.fromarray(photograph).resize((40, 30), Image.Resampling.BOX))
    assert np.abs(read_picture(tmp_path / "a.jpg", (30, 40, 3)).astype(int) - expected).max() <= 2


def test_the_first_frame_of_an_animation_counts(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((4, 6), value, np.uint8)) for value in (10, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_picture(tmp_path / "a.gif", (4, 6)).tolist() == [[10] * 6] * 4
    assert read_head(tmp_path / "a.gif").is_animated


def test_colour_is_more_than_noise() -> None:
    assert shows_colour(COLOURS)
    grey = np.stack([GREY] * 3, -1)
    grey[..., 1] += 3
    assert not shows_colour(grey)


def test_other_colours_than_red_green_and_blue_are_converted(tmp_path: Path) -> None:
    red = Image.new("RGB", (4, 4), (255, 0, 0))
    profiles = [ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")]
    lab = ImageCms.profileToProfile(red, *profiles, outputMode="LAB")
    assert lab is not None
    for image in (red.convert("CMYK"), red.convert("YCbCr"), lab):
        found = read(image, tmp_path / "a.tiff", (4, 4, 3))
        assert np.abs(found.astype(int) - [255, 0, 0]).max() <= 5


@pytest.mark.parametrize("content", [b"", b"no image", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
def test_a_file_that_is_no_picture_is_unreadable(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(content)
    for read_file in (read_head, lambda path: read_picture(path, (4, 4))):
        with pytest.raises(UNREADABLE):
            read_file(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tiff", ".gif"])
def test_a_truncated_picture_is_unreadable(suffix: str, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    path = tmp_path / f"a{suffix}"
    Image.fromarray(pixels).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UNREADABLE):
        read_picture(path, (64, 64, 3))
