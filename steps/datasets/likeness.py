"""Images to predict, compared with images of the training data: brightness, range and proportions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from steps.datasets.interface import Interface

_DARK, _LIGHT = 0.25, 0.75  # of the range; a border between them is neither
_DIM = 0.05  # of the range of the training images
_ALIKE = 1.5  # largest ratio of two proportions: photographs of 3 : 2 in a square


def unlikeness(given: np.ndarray, example: np.ndarray, interface: Interface) -> str:
    """A difference between images that makes predictions useless, and the remedy; "" if there is none.

    Args:
        given: (n, n_features) pixels in [0, feature_max], n > 0.
        example: (m, n_features) pixels of training images, m > 0.
        interface: Interface of a model of images.
    """
    largest = interface.feature_max
    if given.max() <= _DIM * example.max():
        return (
            f"The pixels are at most {given.max():g} of {largest:g}, those of the training data {example.max():g}; "
            f"the model takes pixels from 0 to {largest:g}"
        )
    if given.min() == given.max():
        return f"All pixels have the value {given.max():g}; the images are empty"
    ours, theirs = (_border(pixels, interface) / largest for pixels in (example, given))
    if min(ours, theirs) < _DARK and max(ours, theirs) > _LIGHT:
        background = ("dark", "light") if ours < theirs else ("light", "dark")
        return (
            f"The training data have a {background[0]} background (brightness {ours:.2f} of 1), these images a "
            f"{background[1]} one ({theirs:.2f}); for images, invert=true inverts them"
        )
    return ""


def other_proportions(sizes: Sequence[tuple[int, int]], interface: Interface) -> str:
    """A hint if at least half of the images are much wider or higher than those of the model; else "".

    Args:
        sizes: (height, width) of images in their files; they are padded to the model's shape.
        interface: Interface of a model of images.
    """
    assert interface.image_shape is not None
    height, width = interface.image_shape[:2]
    shares = [_filled(size, (height, width)) for size in sizes]
    unlike = [share for share in shares if share < 1 / _ALIKE]
    if not unlike or 2 * len(unlike) < len(sizes):
        return ""
    farthest = sizes[shares.index(min(shares))]
    return (
        f"{len(unlike)} of the first {len(sizes)} images have other proportions than those of the model, such as "
        f"{farthest[0]} x {farthest[1]} pixels (height x width) in place of {height} x {width}: they fill only "
        f"{min(shares):.0%} of its input, the rest is padding; crop them as the training images are"
    )


def _filled(size: tuple[int, int], into: tuple[int, int]) -> float:
    """Share of an area that an image fills if it is resized with its proportions kept."""
    ratio = size[0] * into[1] / (size[1] * into[0])
    return min(ratio, 1 / ratio)


def _border(pixels: np.ndarray, interface: Interface) -> float:
    """Median brightness of the outermost pixels."""
    assert interface.image_shape is not None
    images = pixels.reshape(-1, *interface.image_shape)  # (n, n_features) -> (n, height, width[, 3])
    sides = (images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1])
    return float(np.median(np.concatenate([side.reshape(-1) for side in sides])))
