from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from steps.datasets import Dataset
from steps.datasets.inputs import open_input
from steps.datasets.interface import Interface
from steps.datasets.likeness import other_proportions, unlikeness


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


@pytest.fixture
def hint_for(digits: Dataset, tmp_path: Path) -> Callable[..., str]:
    """The hint for a folder of pictures with these (height, width), for a model of 8 x 8 pixels."""

    def read(*sizes: tuple[int, int]) -> str:
        for i, (height, width) in enumerate(sizes):
            Image.new("L", (width, height)).save(tmp_path / f"{i}.png")
        interface = Interface.of(digits)
        return other_proportions(open_input(str(tmp_path), interface).image_sizes, interface)

    return read


def test_pictures_far_wider_or_higher_than_those_of_the_training_are_noticed(hint_for: Callable[..., str]) -> None:
    assert "1 of the first 1 images have other proportions" in hint_for((30, 90))
    said = hint_for((30, 90), (120, 30), (8, 8))
    assert "2 of the first 3 images" in said
    assert "120 x 30 pixels (height x width) in place of 8 x 8: they fill only 25% of its input" in said


def test_usual_proportions_need_no_hint_nor_does_a_wide_picture_among_others(hint_for: Callable[..., str]) -> None:
    assert hint_for((300, 300), (3, 4), (60, 40), (20, 20), (30, 90)) == ""


def test_a_picture_that_cannot_be_read_has_no_proportions(hint_for: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no image")
    assert "1 of the first 1 images" in hint_for((30, 90))
