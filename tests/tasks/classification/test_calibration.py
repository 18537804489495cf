"""Temperature: classifiers that are as sure as they are often right."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from steps.datasets import Dataset
from steps.datasets.interface import Interface
from steps.mlp.config import MLPConfig
from steps.mlp.model import build_model
from steps.mlp.model import with_temperature as scaled_model
from steps.tasks.classification.calibration import calibration_error, fitted_temperature, with_temperature


def simulated(temperature: float, n: int = 20_000, n_classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Targets, and probabilities whose logits would have to be divided by `temperature` to be right."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (n, n_classes))
    right = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    targets = (rng.random((n, 1)) > right.cumsum(1)).sum(1)
    return targets, with_temperature(right, 1 / temperature).astype(np.float32)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_of_the_data_is_found(temperature: float) -> None:
    targets, probabilities = simulated(temperature)
    found = fitted_temperature(targets, probabilities)
    assert found == pytest.approx(temperature, rel=0.05)
    calibrated = with_temperature(probabilities, found)
    assert calibration_error(targets, calibrated) < 0.015
    np.testing.assert_array_equal(calibrated.argmax(1), probabilities.argmax(1))
    np.testing.assert_allclose(with_temperature(calibrated, 1 / found), probabilities, atol=1e-6)


def test_a_few_rows_that_are_all_right_do_not_make_a_model_sure_of_everything() -> None:
    probabilities = np.tile(np.float32([[0.9, 0.1], [0.1, 0.9]]), (10, 1))
    assert 0.4 < fitted_temperature(probabilities.argmax(1), probabilities) < 1


def test_probabilities_of_0_and_1_are_taken() -> None:
    certain = np.float32([[1, 0], [0, 1], [1, 0]])
    assert np.isfinite(fitted_temperature(np.array([0, 1, 1]), certain))
    assert np.isfinite(with_temperature(certain, 2.0)).all()


def test_the_network_gives_what_is_computed_and_loads_without_this_project(digits: Dataset, tmp_path: Path) -> None:
    model = build_model(MLPConfig(units=(16,)), Interface.of(digits), seed=0)
    features = digits.splits["validation"].features
    scaled_model(model, 0.6).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    expected = with_temperature(model.predict(features, verbose=0), 0.6)
    np.testing.assert_allclose(loaded.predict(features, verbose=0), expected, atol=1e-6)
    for registered, trained in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(registered, trained)
