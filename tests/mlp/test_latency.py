from __future__ import annotations

import tensorflow as tf

from steps.mlp.config import MLPConfig
from steps.mlp.latency import median_latency_ms
from steps.mlp.model import build_model
from tests.mlp.tables import NUMBERS


def test_a_large_network_takes_longer() -> None:
    sample = tf.zeros((1, 40))
    small, large = (
        median_latency_ms(build_model(MLPConfig(units=units), NUMBERS, seed=0), sample)
        for units in ((8,), (3000, 3000))
    )
    assert 0 < small < large
