"""Trained networks as one network: the same outputs as their weighted mean, also from a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from steps.datasets.interface import Interface
from steps.ensembles.network import averaged
from steps.mlp.config import MLPConfig
from steps.mlp.model import build_model
from tests.mlp.tables import CATEGORIES, NUMBERS, PRICES, rows

PIXELS = replace(NUMBERS, dtype=np.dtype("uint8"), feature_max=255.0, image_shape=(5, 8))
SKEWED = replace(PRICES, target=replace(PRICES.target, low=0.0))
SHARES = {"trial-003": 0.5, "trial-000": 1 / 6, "trial-012": 1 / 3}


def members(interface: Interface) -> dict[str, keras.Model]:
    bins = 4 if interface.numbers else 0
    configs = (
        MLPConfig(units=(16, 8), n_members=3, n_bins=bins, batch_norm=False, input_scale=6.0),
        MLPConfig(units=(8,), batch_norm=False, activation="tanh", input_dropout=0.1),
        MLPConfig(units=(8,), target_scale="log" if interface is SKEWED else "linear", embedding_size=3),
    )
    return {
        name: build_model(config, interface, i) for i, (name, config) in enumerate(zip(SHARES, configs, strict=True))
    }


@pytest.mark.parametrize(
    "interface",
    [NUMBERS, CATEGORIES, PRICES, SKEWED, PIXELS],
    ids=["numbers", "categories", "prices", "skewed", "pixels"],
)
def test_the_network_gives_the_weighted_mean_also_from_a_file(interface: Interface, tmp_path: Path) -> None:
    models = members(interface)
    features = rows(interface, 300)
    if interface is PIXELS:
        features = np.random.default_rng(0).integers(0, 256, (300, 40), dtype=np.uint8)
    merged = averaged(models, SHARES)
    expected = sum(SHARES[name] * np.asarray(model(features), np.float64) for name, model in models.items())
    size = np.maximum(1, np.abs(expected))
    assert (np.abs(merged.predict(features, verbose=0) - expected) / size).max() < 1e-6
    merged.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    np.testing.assert_array_equal(loaded.predict(features, verbose=0), merged.predict(features, verbose=0))
    for ours, theirs in zip(merged.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert loaded.input_shape == build_model(MLPConfig(), interface, 0).input_shape


def test_one_member_stays_as_it_is() -> None:
    model = build_model(MLPConfig(units=(8,)), NUMBERS, 0)
    assert averaged({"trial-000": model}, {"trial-000": 1.0}) is model
