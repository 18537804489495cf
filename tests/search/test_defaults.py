from __future__ import annotations

import numpy as np
import pytest

from steps.datasets import Dataset, Split
from steps.datasets.request import DataRequest
from steps.datasets.tabular.target import Target
from steps.search.defaults import default_epochs


@pytest.mark.parametrize(
    ("shape", "n_rows", "epochs"),
    [
        ((2, 2), 50_000, 10),  # MNIST
        ((2, 2), 400_000, 10),
        ((2, 2), 10_000, 51),
        ((2, 2, 3), 400, 200),
        (None, 400, 128),
        (None, 20_000, 19),
        (None, 400_000, 10),
    ],
)
def test_few_rows_are_trained_for_more_epochs(shape: tuple[int, ...] | None, n_rows: int, epochs: int) -> None:
    train = Split(np.zeros((n_rows, int(np.prod(shape or (4,)))), np.uint8), np.zeros(n_rows, np.int32))
    target = Target("classification", class_names=("a", "b"))
    dataset = Dataset("rows", {"train": train}, target, DataRequest("rows"), "made here", image_shape=shape)
    assert default_epochs(dataset) == epochs
