"""MLPConfig -> Keras model, made of Keras' own layers only: it loads anywhere without this project."""

from __future__ import annotations

import keras

from steps.mlp.config import MLPConfig
from steps.mlp.heads import Head

BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.99


def build_model(config: MLPConfig, n_features: int, feature_max: float, head: Head, seed: int) -> keras.Model:
    """Untrained model with seeded weights.

    It takes (batch, n_features) in the stored dtype of the data (any number in [0, feature_max]) and
    gives the outputs of the head (batch, n_outputs) float32. Kernels are He-normal before `relu` and its
    relatives, Glorot-uniform elsewhere.
    """
    inputs = x = keras.Input((n_features,), name="features")
    x = keras.layers.Rescaling(1.0 / feature_max, name="scale")(x)
    if config.input_dropout:
        x = keras.layers.Dropout(config.input_dropout, seed=seed, name="input_dropout")(x)
    hidden = keras.initializers.GlorotUniform if config.activation == "tanh" else keras.initializers.HeNormal
    for i, units in enumerate(config.units):
        x = keras.layers.Dense(
            units, use_bias=not config.batch_norm, kernel_initializer=hidden(seed + i), name=f"dense_{i}"
        )(x)
        if config.batch_norm:
            x = keras.layers.BatchNormalization(
                momentum=BATCH_NORM_MOMENTUM, epsilon=BATCH_NORM_EPSILON, name=f"batch_norm_{i}"
            )(x)
        x = keras.layers.Activation(config.activation, name=f"activation_{i}")(x)
        if config.dropout:
            x = keras.layers.Dropout(config.dropout, seed=seed + i + 1, name=f"dropout_{i}")(x)
    x = head.layer(seed + len(config.units))(x)
    return keras.Model(inputs, x, name="mlp")
