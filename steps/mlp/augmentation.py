"""Random distortions of a batch of images, inside the training graph."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from steps.mlp.config import Augmentation
from steps.mlp.runtime import has_gpu

# For 28 x 28 pixels; distances scale with the image.
_SHIFT = 2.0 / 28
_ROTATION = math.radians(15)
_SCALE = 0.10
_SHEAR = 0.20
_ELASTIC_SIGMA = 4.0 / 28
_ELASTIC_ALPHA = 18.0 / 28


def augment(pixels: tf.Tensor, shape: tuple[int, ...], kind: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """Distort each image of a batch independently.

    `shift` moves by up to 2/28 of the width, `affine` adds rotation (15 degrees), scale (10 %) and
    shear (0.2), `elastic` adds to `affine` the smoothed random displacement fields of Simard et al.
    (2003), sigma 4 and alpha 18 at 28 pixels: half of their alpha, as `affine` already moves the image.
    Pixels outside an image are 0.

    Args:
        pixels: (batch, height * width) or (batch, height * width * 3), any real dtype.
        shape: (height, width) or (height, width, 3); the channels of a pixel move together.
        kind: The distortion.
        seed: (2,) int32; equal seeds give equal distortions.

    Returns:
        Shape of `pixels`, float32 on the scale of the input.
    """
    batch, size = tf.shape(pixels)[0], (shape[0], shape[1])
    transforms = _shift_transforms(batch, size, seed) if kind == "shift" else _affine_transforms(batch, size, seed)
    field = _elastic_field(batch, size, seed) if kind == "elastic" else tf.zeros((1, 2, *size))
    sample = _sample if has_gpu() else _compiled_sample
    if len(shape) == 2:
        return sample(pixels, size, transforms, field)
    n, n_pixels = shape[2], size[0] * size[1]
    planes = tf.reshape(tf.transpose(tf.reshape(pixels, (-1, n_pixels, n)), (0, 2, 1)), (-1, n_pixels))
    fields = tf.repeat(field, n, axis=0) if kind == "elastic" else field
    moved = sample(planes, size, tf.repeat(transforms, n, axis=0), fields)
    return tf.reshape(tf.transpose(tf.reshape(moved, (-1, n, n_pixels)), (0, 2, 1)), tf.shape(pixels))


def _uniform(batch: tf.Tensor, n: int, seed: tf.Tensor) -> list[tf.Tensor]:
    """`n` vectors (batch,) in [-1, 1)."""
    return list(tf.unstack(tf.random.stateless_uniform((n, batch), seed, -1.0, 1.0), num=n))


def _shift_transforms(batch: tf.Tensor, shape: tuple[int, int], seed: tf.Tensor) -> tf.Tensor:
    height, width = shape
    dy, dx = _uniform(batch, 2, seed)
    one, zero = tf.ones_like(dx), tf.zeros_like(dx)
    return tf.stack([one, zero, tf.round(dx * _SHIFT * width), zero, one, tf.round(dy * _SHIFT * height)], 1)


def _affine_transforms(batch: tf.Tensor, shape: tuple[int, int], seed: tf.Tensor) -> tf.Tensor:
    """Rows (a0, a1, a2, b0, b1, b2): output (x, y) reads input (a0 x + a1 y + a2, b0 x + b1 y + b2)."""
    height, width = shape
    angle, scale_x, scale_y, shear, dx, dy = _uniform(batch, 6, seed)
    cos, sin = tf.cos(angle * _ROTATION), tf.sin(angle * _ROTATION)
    scale_x, scale_y, shear = 1 + scale_x * _SCALE, 1 + scale_y * _SCALE, shear * _SHEAR
    a0, a1 = scale_x * cos, scale_x * (shear * cos - sin)
    b0, b1 = scale_y * sin, scale_y * (shear * sin + cos)
    center_x, center_y = (width - 1) / 2, (height - 1) / 2
    a2 = center_x - a0 * center_x - a1 * center_y + dx * _SHIFT * width
    b2 = center_y - b0 * center_x - b1 * center_y + dy * _SHIFT * height
    return tf.stack([a0, a1, a2, b0, b1, b2], 1)


def _elastic_field(batch: tf.Tensor, shape: tuple[int, int], seed: tf.Tensor) -> tf.Tensor:
    """Gaussian-smoothed uniform noise, (batch, 2, height, width), in pixels."""
    height, width = shape
    noise = tf.random.stateless_uniform((batch, 2, height, width), seed + tf.constant([0, 1]), -1.0, 1.0)
    rows, columns = _gaussian(height), _gaussian(width)
    smooth_x = tf.reshape(tf.reshape(noise, (-1, width)) @ tf.constant(columns), (-1, height, width))
    return tf.reshape(tf.constant(rows)[None] @ smooth_x, (-1, 2, height, width)) * (_ELASTIC_ALPHA * width)


def _gaussian(n: int) -> np.ndarray:
    """Smoothing matrix (n, n): column j is a Gaussian around j, of weight 1 unless cut off by the border."""
    sigma = _ELASTIC_SIGMA * n
    offsets = np.subtract.outer(np.arange(n), np.arange(n))
    return (np.exp(-0.5 * (offsets / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))).astype(np.float32)


def _sample(pixels: tf.Tensor, shape: tuple[int, int], transforms: tf.Tensor, field: tf.Tensor) -> tf.Tensor:
    """Bilinear interpolation of (batch, height * width), 0 outside.

    Args:
        transforms: (batch, 6), source positions of the pixels of each image, as of `_affine_transforms`.
        field: (batch or 1, 2, height, width), offsets of those positions, x before y.
    """
    height, width = shape
    rows, columns = (tf.constant(axis, tf.float32) for axis in np.mgrid[:height, :width])
    a0, a1, a2, b0, b1, b2 = (t[:, None, None] for t in tf.unstack(transforms, 6, axis=1))  # each (batch, 1, 1)
    x = a0 * columns + a1 * rows + a2 + field[:, 0]  # (batch, height, width)
    y = b0 * columns + b1 * rows + b2 + field[:, 1]
    images = tf.pad(tf.reshape(pixels, (-1, height, width)), [[0, 0], [1, 2], [1, 2]])
    padded_height, padded_width = height + 3, width + 3
    flat = tf.reshape(images, (-1,))
    x = tf.clip_by_value(x + 1, 0.0, width + 1.0)
    y = tf.clip_by_value(y + 1, 0.0, height + 1.0)
    left, top = tf.floor(x), tf.floor(y)
    right, bottom = x - left, y - top
    start = tf.range(tf.shape(images)[0])[:, None, None] * (padded_height * padded_width)
    corner = start + tf.cast(top, tf.int32) * padded_width + tf.cast(left, tf.int32)

    def at(offset: int) -> tf.Tensor:
        return tf.cast(tf.gather(flat, corner + offset), tf.float32)

    upper = at(0) * (1 - right) + at(1) * right
    lower = at(padded_width) * (1 - right) + at(padded_width + 1) * right
    return tf.reshape(upper * (1 - bottom) + lower * bottom, pixels.shape)


# Compiled by XLA into one loop over the pixels: op by op, each of some thirty passes over the batch would go through
# memory. Random numbers and matrix products stay outside, because XLA is slower at both on a CPU. On a GPU, the whole
# update is compiled.
_compiled_sample = tf.function(_sample, autograph=False, jit_compile=True)
