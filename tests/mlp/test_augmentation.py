from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest
from steps.mlp.augmentation import _affine_transforms, _sample, augment


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.asarray(load_dataset(DataRequest("mnist")).splits["train"].features[:256])


@pytest.mark.parametrize("kind", ["shift", "affine", "elastic"])
def test_images_move_a_little_and_keep_their_ink(kind: str, pixels: np.ndarray) -> None:
    seed = tf.constant([1, 2])
    moved = augment(tf.constant(pixels), (28, 28), kind, seed).numpy()  # type: ignore[arg-type]
    assert moved.shape == pixels.shape
    assert moved.min() >= 0
    assert moved.max() <= 255.01
    assert not np.array_equal(moved, pixels)
    np.testing.assert_allclose(moved.sum() / pixels.sum(), 1, atol=0.15)
    correlation = np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(moved, pixels, strict=True)])
    assert 0.3 < correlation < 0.95
    again = augment(tf.constant(pixels), (28, 28), kind, seed).numpy()  # type: ignore[arg-type]
    np.testing.assert_array_equal(moved, again)


def test_a_shift_is_whole_pixels_of_at_most_two(pixels: np.ndarray) -> None:
    moved = augment(tf.constant(pixels), (28, 28), "shift", tf.constant([3, 4])).numpy().reshape(-1, 28, 28)
    original = pixels.reshape(-1, 28, 28)
    padded = np.pad(original, ((0, 0), (2, 2), (2, 2)))
    windows = [padded[:, y : y + 28, x : x + 28] for y in range(5) for x in range(5)]
    assert all(any(np.array_equal(image, window[i]) for window in windows) for i, image in enumerate(moved))


def test_sampling_is_the_projective_transform_of_tensorflow(pixels: np.ndarray) -> None:
    batch = tf.constant(len(pixels))
    transforms = _affine_transforms(batch, (28, 28), tf.constant([5, 6]))
    ours = _sample(tf.constant(pixels), (28, 28), transforms, tf.zeros((1, 2, 28, 28)))
    theirs = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(tf.reshape(pixels, (-1, 28, 28, 1)), tf.float32),
        transforms=tf.pad(transforms, [[0, 0], [0, 2]]),
        output_shape=(28, 28),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    np.testing.assert_allclose(ours, tf.reshape(theirs, pixels.shape), atol=0.01)


@pytest.mark.parametrize("kind", ["shift", "affine", "elastic"])
def test_the_colours_of_an_image_move_together(kind: str, pixels: np.ndarray) -> None:
    grey = tf.constant(pixels[:16])
    colour = tf.constant(np.stack([pixels[:16], pixels[:16] // 2, pixels[:16] * 0], -1).reshape(16, -1))
    moved = augment(colour, (28, 28, 3), kind, tf.constant([1, 2])).numpy().reshape(16, 784, 3)  # type: ignore[arg-type]
    np.testing.assert_allclose(moved[..., 0], augment(grey, (28, 28), kind, tf.constant([1, 2])), atol=1e-3)  # type: ignore[arg-type]
    np.testing.assert_allclose(moved[..., 1], moved[..., 0] / 2, atol=1)
    assert not moved[..., 2].any()
