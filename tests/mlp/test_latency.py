from __future__ import annotations

import tensorflow as tf

from steps.mlp.config import MLPConfig
from steps.mlp.heads import Softmax
from steps.mlp.latency import median_latency_ms
from steps.mlp.model import build_model


def test_a_large_network_takes_longer() -> None:
    sample = tf.zeros((1, 64), tf.uint8)
    small, large = (
        median_latency_ms(build_model(MLPConfig(units=units), 64, 16.0, Softmax(10), seed=0), sample)
        for units in ((8,), (3000, 3000))
    )
    assert 0 < small < large
