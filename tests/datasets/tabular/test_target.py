"""The target survives its JSON."""

from __future__ import annotations

import json

import pytest

from steps.datasets.tabular.target import Target


@pytest.mark.parametrize(
    "target",
    [
        Target("classification", "churn", ("no", "yes"), "yes", why="words"),
        Target(
            "regression",
            "price",
            low=0.1,
            high=1e9,
            mean=1 / 3,
            std=2.5,
            is_skewed=True,
            log_mean=2.0,
            log_std=0.5,
            why="numbers",
        ),
    ],
)
def test_a_target_is_equal_after_json(target: Target) -> None:
    assert Target.from_json(json.loads(json.dumps(target.to_json()))) == target
