from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from steps.datasets import Dataset
from steps.datasets.interface import Interface
from steps.datasets.likeness import unlikeness


@pytest.fixture
def images(digits: Dataset) -> np.ndarray:
    """(20, 64) digits, light on dark, in 0…16."""
    return np.asarray(digits.splits["validation"].features[:20])


@pytest.fixture
def example(digits: Dataset) -> np.ndarray:
    return np.asarray(digits.splits["train"].features[:5])


def test_images_like_those_of_the_training_need_no_hint(
    digits: Dataset, images: np.ndarray, example: np.ndarray
) -> None:
    for given in (images, images[:1], images // 2, np.clip(images + 3, 0, 16), images[:, ::-1]):
        assert unlikeness(given, example, Interface.of(digits)) == ""


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda pixels: 16 - pixels, "have a dark background .*, these images a light one .* invert=true"),
        (lambda pixels: np.clip(18 - pixels, 0, 16), "a light one"),
        (lambda pixels: pixels * 0, "The pixels are at most 0 of 16, those of the training data 1"),
        (lambda pixels: pixels * 0 + 7, "All pixels have the value 7; the images are empty"),
        (lambda pixels: pixels // 32 * 2, "The pixels are at most 0 of 16"),
    ],
    ids=["inverted", "on grey paper", "black", "one shade", "cut"],
)
def test_images_unlike_those_of_the_training_are_noticed(
    change: Callable[[np.ndarray], np.ndarray], hint: str, digits: Dataset, images: np.ndarray, example: np.ndarray
) -> None:
    assert re.search(hint, unlikeness(change(images), example, Interface.of(digits)))


def test_the_difference_counts_in_both_directions(digits: Dataset, images: np.ndarray, example: np.ndarray) -> None:
    assert "a light background" in unlikeness(images, 16 - example, Interface.of(digits))
