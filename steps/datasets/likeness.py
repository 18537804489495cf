"""Images to predict, compared with images of the training data: brightness and range."""

from __future__ import annotations

import numpy as np

from steps.datasets.interface import Interface

_DARK, _LIGHT = 0.25, 0.75  # of the range; a border between them is neither
_DIM = 0.05  # of the range of the training images


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


def _border(pixels: np.ndarray, interface: Interface) -> float:
    """Median brightness of the outermost pixels."""
    assert interface.image_shape is not None
    images = pixels.reshape(-1, *interface.image_shape)  # (n, n_features) -> (n, height, width[, 3])
    sides = (images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1])
    return float(np.median(np.concatenate([side.reshape(-1) for side in sides])))
