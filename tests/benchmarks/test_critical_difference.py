"""The critical-difference diagram of the benchmark on tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmarks.critical_difference import critical_difference, diagram, groups


def test_the_difference_is_that_of_the_example_in_the_paper() -> None:
    assert critical_difference(n_systems=4, n_tables=14) == pytest.approx(1.25, abs=0.01)


@pytest.mark.parametrize(
    ("ranks", "expected"),
    [
        ([1.0, 2.0, 4.0], [(0, 1)]),
        ([1.0, 2.0, 2.4, 4.0, 5.0], [(0, 2), (3, 4)]),
        ([1.0, 2.0, 3.0], [(0, 1), (1, 2)]),
        ([1.0, 1.2, 1.4], [(0, 2)]),
        ([1.0, 4.0], []),
    ],
)
def test_a_bar_joins_the_longest_series_within_the_difference(
    ranks: list[float], expected: list[tuple[int, int]]
) -> None:
    assert groups(np.array(ranks), 1.5) == expected


def test_the_diagram_names_each_system_with_its_mean_rank(tmp_path: Path) -> None:
    losses = pd.DataFrame({"trees": [1.0, 1.0, 1.0], "network": [0.9, 0.8, 1.1], "linear": [1.2, 1.3, 1.4]})
    chart = diagram(losses)
    assert "network 1.3, trees 1.7, linear 3.0" in chart.text
    shown = {text.get_text().strip() for text in chart.figure.axes[0].texts}
    assert {"network  1.3", "trees  1.7", "3.0  linear"} <= shown
    chart.save(tmp_path / "diagram.png")
    assert Image.open(tmp_path / "diagram.png").width >= 900
