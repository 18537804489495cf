"""MLPConfig -> Keras model, built only from Keras' own layers, so that it loads without this project."""

from __future__ import annotations

import keras
import numpy as np

from steps.datasets.interface import Interface
from steps.mlp.config import MLPConfig
from steps.mlp.heads import make_head

BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.99
EMBEDDING = "embedding"


def build_model(config: MLPConfig, interface: Interface, seed: int) -> keras.Model:
    """Untrained model with seeded weights.

    It takes (batch, n_features) in the stored dtype of the data and returns the outputs of its task's head
    (batch, n_outputs) float32. Kernels are He-normal before `relu` and similar activations, else Glorot-uniform.
    """
    inputs = keras.Input((interface.n_features,), name="features")
    x = _embedded(inputs, config, interface, seed)
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
    outputs = make_head(interface.target, config).attach(x, seed + len(config.units))
    return keras.Model(inputs, outputs, name="mlp")


def _embedded(x: keras.KerasTensor, config: MLPConfig, interface: Interface, seed: int) -> keras.KerasTensor:
    """Features scaled to [0, 1], or unscaled numbers concatenated with the embedding of each category."""
    counts = interface.level_counts
    if not counts:
        return keras.layers.Rescaling(1.0 / interface.feature_max, name="scale")(x)
    table = keras.layers.Embedding(
        sum(counts),
        config.embedding_size,
        embeddings_initializer=keras.initializers.RandomNormal(stddev=0.3, seed=seed),
        name=EMBEDDING,
    )
    n_numbers = interface.n_features - len(counts)
    vectors = keras.layers.Flatten(name="vectors")(table(x[:, n_numbers:]))
    (weights,) = table.get_weights()
    weights[np.cumsum([0, *counts[:-1]])] = 0  # unseen categories contribute nothing until they are learned
    table.set_weights([weights])
    return keras.layers.Concatenate(name="inputs")([x[:, :n_numbers], vectors]) if n_numbers else vectors
