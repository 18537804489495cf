from __future__ import annotations

from typing import Any

import pytest

from steps.mlp.config import MLPConfig


def test_hyperparameters_there_and_back() -> None:
    config = MLPConfig(units=(300, 20, 7), optimizer="sgd", momentum=0.5, augmentation="affine")
    assert MLPConfig.from_hyperparameters(config.to_hyperparameters()) == config
    assert MLPConfig.from_hyperparameters({}) == MLPConfig()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dropout": 1.0}, "dropout must be in"),
        ({"learning_rate": 0}, "learning_rate must be > 0, got 0"),
        ({"optimizer": "lion"}, "optimizer must be one of adam, adamw, sgd, rmsprop, got 'lion'"),
        ({"batch_norm": 1}, "batch_norm must be true or false"),
        ({"n_layers": 2, "units_0": 8}, "units_1 is missing"),
        ({"n_layers": 1, "units_0": 8, "units_1": 8}, "unknown hyperparameter 'units_1'"),
        ({"n_layers": 0}, "n_layers must be"),
        ({"depth": 3}, "unknown hyperparameter 'depth'"),
    ],
)
def test_a_wrong_value_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MLPConfig.from_hyperparameters(values)
