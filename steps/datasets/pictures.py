"""Pictures from files, the same for training and prediction: upright, opaque, 8 bits per channel, one shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

# Pillow's exceptions for files that are not images, truncated, damaged or far too large.
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
# Formats that Pillow opens although they are not pictures, or that need another program.
_NO_PICTURES = ("BUFR", "EPS", "FITS", "GRIB", "HDF5", "MPEG", "WMF")
_GREY_MODES = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_ORIENTATION, _QUARTER_TURNS = 0x0112, (5, 6, 7, 8)  # tag and values of EXIF
_LIGHT = 0.75  # of the range; lighter areas are hardly visible on white
_COLOURED = 8  # of 255 between two channels; smaller differences are JPEG noise


@dataclass(frozen=True)
class PictureHead:
    """Properties of a picture, from the header of its file.

    Attributes:
        size: (height, width) upright.
        is_grey: Whether its mode has one channel; a picture with three may still show no colour.
        is_turned: Whether it is rotated or flipped, according to EXIF.
        is_transparent: Whether parts of it may be transparent.
        is_animated: Whether it has more than one frame.
    """

    size: tuple[int, int]
    is_grey: bool
    is_turned: bool
    is_transparent: bool
    is_animated: bool


def picture_suffixes() -> frozenset[str]:
    """Lower-case suffixes of the formats that can be read."""
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in (*_formats(), "MPO"))


def read_head(path: Path) -> PictureHead:
    """Read the header of a file without decoding its picture.

    Raises:
        UNREADABLE: The file is not a picture.
    """
    with Image.open(path, formats=_formats()) as image:
        orientation = image.getexif().get(_ORIENTATION, 1)
        height, width = (image.width, image.height) if orientation in _QUARTER_TURNS else (image.height, image.width)
        return PictureHead(
            (height, width),
            is_grey=image.mode in _GREY_MODES,
            is_turned=orientation in range(2, 9),
            is_transparent=image.has_transparency_data,
            is_animated=getattr(image, "is_animated", False),
        )


def read_picture(path: Path, shape: Sequence[int]) -> np.ndarray:
    """The first frame of a picture, upright, on an opaque background, resized with its proportions kept.

    Transparent areas become white, or black if the rest is so light that white would hide it. Sixteen bits per channel
    become eight. The picture is padded to the shape in the colour of its border.

    Args:
        shape: (height, width) for grey, (height, width, 3) for colour.

    Returns:
        An array of this shape, uint8.

    Raises:
        UNREADABLE: The file is damaged or not a picture.
    """
    height, width = shape[:2]
    with Image.open(path, formats=_formats()) as image:
        image.draft(None, (2 * max(height, width),) * 2)  # a large JPEG is decoded at a fraction of its size
        upright = ImageOps.exif_transpose(image)
        opaque = _opaque(_in_8_bits(upright))
        return fitted(np.asarray(opaque.convert("RGB" if len(shape) == 3 else "L")), (height, width))


def fitted(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture resized to (height, width), by area averaging if it shrinks, and padded in its border's colour.

    Args:
        pixels: (height, width) or (height, width, 3) uint8.
    """
    height, width = size
    scale = min(height / pixels.shape[0], width / pixels.shape[1])
    inner = max(1, round(pixels.shape[0] * scale)), max(1, round(pixels.shape[1] * scale))
    if inner != pixels.shape[:2]:
        resample = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
        pixels = np.asarray(Image.fromarray(pixels).resize(inner[::-1], resample))
    if inner == size:
        return pixels
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    padded = np.empty((*size, *pixels.shape[2:]), np.uint8)
    padded[:] = np.median(border, axis=0).astype(np.uint8)
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    padded[top : top + inner[0], left : left + inner[1]] = pixels
    return padded


def shows_colour(pixels: np.ndarray) -> bool:
    """Return whether a picture of shape (height, width, 3) shows any colour."""
    return bool((pixels.max(-1) - pixels.min(-1)).max() > _COLOURED)


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in Image.OPEN if name not in _NO_PICTURES)


def _in_8_bits(image: Image.Image) -> Image.Image:
    """The picture with 8 bits per channel; Pillow itself would clip larger values instead of scaling them."""
    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return image
    values = np.asarray(image, np.float64)
    largest = 65535.0
    if image.mode == "F":  # numbers in 0…1 or in 0…255
        largest = 1.0 if values.max() <= 1 else 255.0
    return Image.fromarray(np.rint(values / largest * 255).clip(0, 255).astype(np.uint8))


def _opaque(image: Image.Image) -> Image.Image:
    """The picture on a background."""
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    colour, alpha = np.asarray(image.convert("RGB").convert("L"), np.float64), np.asarray(image)[..., 3]
    visible = float(alpha.sum(dtype=np.float64))
    is_light = visible > 0 and (colour * alpha).sum() / visible > _LIGHT * 255
    background = Image.new("RGBA", image.size, "black" if is_light else "white")
    return Image.alpha_composite(background, image)
