"""Latency of a model for one sample."""

from __future__ import annotations

import statistics
import time

import keras
import tensorflow as tf

_WARMUP, _REPEATS = 20, 200


def median_latency_ms(model: keras.Model, sample: tf.Tensor) -> float:
    """Median milliseconds from one sample to its probabilities, over 200 calls of a compiled graph.

    The caller must make sure that nothing else computes meanwhile.

    Args:
        model: The classifier.
        sample: (1, n_features) in the stored dtype of the data.
    """
    predict = tf.function(lambda x: model(x, training=False), autograph=False).get_concrete_function(sample)
    times = []
    for i in range(_WARMUP + _REPEATS):
        start = time.perf_counter()
        predict(sample).numpy()
        if i >= _WARMUP:
            times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)
