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
        ({"dropout": 1.0}, "dropout must be less than 1, got 1.0"),
        ({"learning_rate": 0}, "learning_rate must be greater than 0, got 0"),
        ({"optimizer": "lion"}, "optimizer must be 'adam', 'adamw', 'sgd' or 'rmsprop', got 'lion'"),
        ({"batch_norm": 1}, "batch_norm must be a valid boolean, got 1"),
        ({"batch_size": True}, "batch_size must be a valid integer, got True"),
        ({"warmup": float("nan")}, "warmup must be a finite number, got nan"),
        ({"n_layers": 2, "units_0": 8, "units_1": 0}, "units_1 must be greater than 0, got 0"),
        ({"units": (8,)}, "unknown hyperparameter 'units'"),
        ({"n_layers": 2, "units_0": 8}, "units_1 is missing"),
        ({"n_layers": 1, "units_0": 8, "units_1": 8}, "unknown hyperparameter 'units_1'"),
        ({"n_layers": 0}, "n_layers must be greater than 0, got 0"),
        ({"depth": 3}, "unknown hyperparameter 'depth'"),
    ],
)
def test_a_wrong_value_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MLPConfig.from_hyperparameters(values)
